using Harepd.Core.Model;

namespace Harepd.Lab.Clients;

/// <summary>One attempt to write one row with an id that no other attempt uses.</summary>
/// <param name="Begin">Before the first byte was sent (for a new connection: before connecting).</param>
/// <param name="End">When the answer had come, or the attempt was given up.</param>
/// <param name="Server">Acknowledged: <c>address:port</c> of the server that wrote it, as that server says. Empty otherwise.</param>
/// <param name="Timeline">Acknowledged: the timeline it was written on.</param>
/// <param name="Lsn">Acknowledged: the server's insert position *before* the commit record.</param>
/// <param name="Error">Not acknowledged: why. Such a write may have happened all the same.</param>
public sealed record WriteAttempt(long Id, Instant Begin, Instant End, string Server, uint Timeline, Lsn Lsn, string Error)
{
    public bool IsAcknowledged => Error.Length == 0;
}
