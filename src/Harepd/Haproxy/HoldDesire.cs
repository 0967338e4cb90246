using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>The wish that new writing clients wait for a while instead of being failed.</summary>
/// <param name="Sequence">Grows with each wish; a wish that ended is not taken up again.</param>
/// <param name="Term">The lease under which it is made; another one than the lane's is refused.</param>
/// <param name="Until">The hold ends by itself at this moment, boot-time clock.</param>
/// <param name="Tell">Called once on the lane's thread, unless it was released before: whether clients wait now, and why not. Must not block.</param>
internal sealed record HoldDesire(long Sequence, Term Term, Instant Until, Action<bool, string> Tell);
