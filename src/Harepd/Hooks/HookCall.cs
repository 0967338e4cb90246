namespace Harepd.Hooks;

/// <summary>One run of a hook that is due.</summary>
/// <param name="Key">Of the configuration, such as <c>afterFailover</c>.</param>
/// <param name="Event">What happened, such as <c>failover-done</c>; also its first argument.</param>
/// <param name="Environment">The <c>HAREPD_…</c> variables.</param>
internal sealed record HookCall(string Key, string Event, IReadOnlyList<KeyValuePair<string, string>> Environment)
{
    /// <summary>Told what came of it, on the lane's thread; null when nobody waits.</summary>
    public Action<HookResult>? Done { get; init; }
}
