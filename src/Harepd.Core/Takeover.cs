using Harepd.Core.Model;

namespace Harepd.Core;

/// <summary>An operator orders that this standby take over from a primary that is gone, although it would not by itself, or not yet.</summary>
/// <param name="Id">Chosen by whoever asks; the <see cref="Act.MoveEvent"/>s about it carry it.</param>
/// <param name="AcceptsLoss">What this standby is known to lack, or may lack, may be lost.</param>
/// <param name="IsDryRun">Only the checks.</param>
public sealed record TakeoverOrder(long Id, bool AcceptsLoss, bool IsDryRun);

/// <summary>Such an order under way: it lifts what waits for a person, and nothing of what protects. One at a time.</summary>
/// <param name="Order">As it came.</param>
/// <param name="Began">When.</param>
/// <param name="Ends">What is not done by then is given up.</param>
public sealed record Takeover(TakeoverOrder Order, Instant Began, Instant Ends);
