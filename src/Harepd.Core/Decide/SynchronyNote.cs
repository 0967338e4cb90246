using Harepd.Core.Model;

namespace Harepd.Core.Decide;

/// <summary>What a holder said, with an Accept, of what it waits for (ADR 0018). A voter keeps the last one, over releases and the end of the lease.</summary>
/// <param name="Ballot">The ballot it came with; of two the higher counts.</param>
/// <param name="System">The holder's system.</param>
/// <param name="Timeline">What the holder wrote.</param>
/// <param name="Stated">Every commit acknowledged until then had at least this; null when the holder did not say.</param>
public sealed record SynchronyNote(Ballot Ballot, SystemId System, TimelinePoint Timeline, Synchrony? Stated);
