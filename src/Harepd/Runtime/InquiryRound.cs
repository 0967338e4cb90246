using System.Collections.Immutable;
using Harepd.Core.Model;
using Harepd.Peers;
using Microsoft.Extensions.Logging;

namespace Harepd.Runtime;

/// <summary>
/// The full inquiry of the 2021 daemon, every <c>watchDog</c>: each peer is asked GetClusterInfo, all at once and each within its own deadline.
/// What they say is evidence about their view and is written down when it changes; it is never a vote, and it opens nothing (UPSTREAM).
/// </summary>
/// <param name="ask">Asks one peer; never throws but for the token.</param>
/// <param name="peers">Whom.</param>
/// <param name="own">What this node would answer itself; null where it cannot say.</param>
/// <param name="log">Told of changes alone.</param>
internal sealed class InquiryRound(
    Func<MemberId, CancellationToken, Task<GoAnswer>> ask,
    ImmutableArray<MemberId> peers,
    Func<CancellationToken, ValueTask<ClusterKnowledge?>> own,
    ILogger log)
{
    private static readonly EventId Disagrees = new(190, "PeerDisagrees");
    private static readonly EventId Agrees = new(191, "PeerAgrees");
    private readonly Dictionary<MemberId, string> _said = [];

    /// <summary>Goes round until cancelled.</summary>
    /// <param name="period">Asked anew each time, because it can be reloaded.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(Func<TimeSpan> period, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(period(), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stop.IsCancellationRequested)
            {
                await OnceAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>One round.</summary>
    internal async Task OnceAsync(CancellationToken stop)
    {
        var mine = await own(stop).ConfigureAwait(false);
        var answers = await Task.WhenAll(peers.Select(peer => ask(peer, stop))).ConfigureAwait(false);
        foreach (var told in answers.OfType<GoAnswer.Told>())
        {
            Compare(told, mine);
        }
    }

    private void Compare(GoAnswer.Told told, ClusterKnowledge? mine)
    {
        if (mine is null)
        {
            return;
        }

        var primaries = string.Join(", ", told.Primaries);
        var ours = string.Join(", ", mine.Rows.Where(row => row.Kind == ClusterRowKind.Primary).Select(row => row.Address).Distinct().Order(StringComparer.Ordinal));
        var says = primaries == ours ? "" : $"{told.Peer} takes {(primaries.Length > 0 ? primaries : "nobody")} for the primary, this node {(ours.Length > 0 ? ours : "nobody")}";
        var before = _said.GetValueOrDefault(told.Peer, "");
        _said[told.Peer] = says;
        if (says == before)
        {
            return;
        }

        log.Log(
            says.Length > 0 ? LogLevel.Warning : LogLevel.Information,
            says.Length > 0 ? Disagrees : Agrees,
            "inquiry: {Finding}",
            says.Length > 0 ? says : $"{told.Peer} agrees about the primary again");
    }
}
