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

/// <summary>What a lane's thread remembers from one pass to the next, so that it speaks once a change and retries ever slower.</summary>
internal sealed class LaneMemory
{
    private long _version = -1;
    private bool _isRead;
    private (bool Ok, bool Serving, string Detail) _last;
    private TimeSpan _retry;

    /// <summary>Which attempt at a desire comes next.</summary>
    public Attempt Next(long version) => version != _version ? Attempt.First : _isRead ? Attempt.Repair : Attempt.Retry;

    /// <summary>True when the outcome is the first of its desire, differs from the last, or had to mend something.</summary>
    public bool IsNews(long version, RouteOutcome outcome)
    {
        var now = (outcome.Ok, outcome.IsServing, outcome.Detail);
        var isNews = version != _version || now != _last || (outcome.Ok && outcome.HasChanged);
        if (outcome.Ok || version != _version)
        {
            _retry = TimeSpan.Zero;
        }

        _isRead = outcome.View is not null || (_isRead && version == _version);
        (_version, _last) = (version, now);
        return isNews;
    }

    /// <summary>The pause before trying again: doubles from <paramref name="first"/> up to <paramref name="slowest"/>.</summary>
    public TimeSpan NextRetry(TimeSpan first, TimeSpan slowest)
    {
        _retry = _retry == TimeSpan.Zero ? first : _retry * 2;
        _retry = _retry > slowest ? slowest : _retry;
        return _retry;
    }
}
