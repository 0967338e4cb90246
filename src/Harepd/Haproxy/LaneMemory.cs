namespace Harepd.Haproxy;

/// <summary>How often a desire was tried at one HAProxy.</summary>
internal enum Attempt
{
    /// <summary>Never: a cut goes out unread, and an opening is bound by its own <c>NotAfter</c> too.</summary>
    First,

    /// <summary>Tried, but HAProxy has not been heard since.</summary>
    Retry,

    /// <summary>HAProxy was heard: only the difference is changed, and its checks keep their say.</summary>
    Repair,
}

/// <summary>Whether an outcome is worth telling.</summary>
internal enum Newness
{
    None,

    /// <summary>Told before, but something had to be put right again: somebody else keeps changing this HAProxy.</summary>
    Again,

    New,
}

/// <summary>What a lane's thread remembers from one pass to the next, so that it speaks once a change and retries ever slower.</summary>
internal sealed class LaneMemory
{
    private const int MostTold = 16;
    private readonly HashSet<(bool Ok, bool Serving, string Detail)> _told = [];
    private long _version = -1;
    private (bool Ok, bool Serving) _was;
    private bool _isRead;
    private TimeSpan _retry;

    /// <summary>Which attempt at a desire comes next.</summary>
    public Attempt Next(long version) => version != _version ? Attempt.First : _isRead ? Attempt.Repair : Attempt.Retry;

    /// <summary>
    /// New when the outcome is the first of its desire or was not told since the last change between well and unwell: two reasons
    /// that alternate are two lines, not one each pass.
    /// </summary>
    public Newness Weigh(long version, RouteOutcome outcome)
    {
        var now = (outcome.Ok, outcome.IsServing, outcome.Detail);
        if (version != _version || (outcome.Ok, outcome.IsServing) != _was || _told.Count >= MostTold)
        {
            _told.Clear();
        }

        var newness = _told.Add(now) ? Newness.New : outcome is { Ok: true, HasChanged: true } ? Newness.Again : Newness.None;
        if (outcome.Ok || version != _version)
        {
            _retry = TimeSpan.Zero;
        }

        _isRead = outcome.View is not null || (_isRead && version == _version);
        (_version, _was) = (version, (outcome.Ok, outcome.IsServing));
        return newness;
    }

    /// <summary>The pause before trying again: doubles from <paramref name="first"/> up to <paramref name="slowest"/>.</summary>
    public TimeSpan NextRetry(TimeSpan first, TimeSpan slowest)
    {
        _retry = _retry == TimeSpan.Zero ? first : _retry * 2;
        _retry = _retry > slowest ? slowest : _retry;
        return _retry;
    }
}
