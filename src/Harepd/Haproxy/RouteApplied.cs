using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>What became of a desire at one HAProxy. Posted for the first outcome of each desire and whenever the outcome changes.</summary>
/// <param name="Endpoint">The HAProxy.</param>
/// <param name="Desire">What was wanted.</param>
/// <param name="Ok">HAProxy's own state, read back, is as wanted.</param>
/// <param name="Serving">This node's server in the write backend takes new clients as far as HAProxy knows.</param>
/// <param name="Detail">One sentence for people: what was done, or why it could not be.</param>
/// <param name="When">When it was known, boot-time clock.</param>
internal sealed record RouteApplied(HaproxyEndpoint Endpoint, RouteDesire Desire, bool Ok, bool Serving, string Detail, Instant When);

/// <summary>The answer to an immediate cut.</summary>
/// <param name="IsCut">HAProxy confirmed that this node's server takes no client and has none left.</param>
/// <param name="Detail">Why not, or how.</param>
internal readonly record struct CutResult(bool IsCut, string Detail);
