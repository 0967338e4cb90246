namespace Harepd.Haproxy;

/// <summary>Counts the answers of all HAProxys to one hold and speaks once, when the last is there; at once when there is none. Thread-safe.</summary>
internal sealed class HoldTally
{
    private readonly Lock _gate = new();
    private readonly Action<HoldTally> _settled;
    private readonly List<string> _details = [];
    private int _missing;

    public HoldTally(int lanes, Action<HoldTally> settled)
    {
        _missing = lanes;
        _settled = settled;
        if (lanes == 0)
        {
            _details.Add("no HAProxy is commanded");
            settled(this);
        }
        else
        {
            IsHeld = true;
        }
    }

    /// <summary>New clients wait at every HAProxy.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>One sentence a HAProxy, joined.</summary>
    public string Detail => string.Join("; ", _details);

    public void Add(bool isHeld, string detail)
    {
        lock (_gate)
        {
            IsHeld &= isHeld;
            _details.Add(detail);
            if (--_missing != 0)
            {
                return;
            }
        }

        _settled(this);
    }
}
