using Harepd.Core.Model;

namespace Harepd.Lab.Clients;

/// <summary>The time in which one server took writes on one timeline.</summary>
/// <param name="FirstEnd">When its first write was acknowledged: it certainly took writes by then.</param>
/// <param name="LastBegin">When the last one that it acknowledged was begun: it certainly took writes until then.</param>
public sealed record Reign(string Server, uint Timeline, Instant FirstEnd, Instant LastBegin);
