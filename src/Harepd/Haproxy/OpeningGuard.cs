using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// Keeps an opening from outliving a cut that another thread makes at the same moment: the cutter counts first and cuts, then
/// waits for an opening in flight and cuts again; the opener announces itself first and looks at the count after. Thread-safe.
/// </summary>
internal sealed class OpeningGuard
{
    private int _cuts;
    private int _isOpening;

    /// <summary>Cuts so far; remember it before deciding to open.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>True while an opening may be on its way to HAProxy.</summary>
    public bool IsOpening => Volatile.Read(ref _isOpening) == 1;

    /// <summary>Announces an opening; false (and nothing announced) when a cut came since <paramref name="seenCuts"/>.</summary>
    public bool TryBegin(int seenCuts)
    {
        Interlocked.Exchange(ref _isOpening, 1);
        if (Cuts == seenCuts)
        {
            return true;
        }

        End();
        return false;
    }

    public void End() => Interlocked.Exchange(ref _isOpening, 0);

    /// <summary>Counts a cut: from now on no opening decided before may stand.</summary>
    public void CountCut() => Interlocked.Increment(ref _cuts);

    /// <summary>Waits until no opening is on its way; false when the deadline came first.</summary>
    public bool WaitNoOpening(Instant deadline)
    {
        while (IsOpening)
        {
            if (BootClock.Now >= deadline)
            {
                return false;
            }

            Thread.Sleep(1);
        }

        return true;
    }
}
