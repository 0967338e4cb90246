namespace Harepd.Config;

/// <summary>The operator's programs that are told of what happened, or asked before a planned move; each an absolute path, null for none.</summary>
internal sealed record HooksConfig
{
    /// <summary>How long one may run; then its process group is killed.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>This node became the primary, a standby, or neither.</summary>
    public string? RoleChange { get; init; }

    /// <summary>This node's gate was opened, narrowed or shut.</summary>
    public string? Gate { get; init; }

    /// <summary>This node begins to take over.</summary>
    public string? BeforeFailover { get; init; }

    /// <summary>It took over, or failed to.</summary>
    public string? AfterFailover { get; init; }

    /// <summary>A planned move was ordered here; any exit code but 0 refuses it.</summary>
    public string? BeforeSwitchover { get; init; }

    /// <summary>A planned move that was ordered here has ended.</summary>
    public string? AfterSwitchover { get; init; }

    /// <summary>Those that are given, by their keys.</summary>
    public IEnumerable<(string Key, string Path)> Given =>
        new[]
        {
            ("roleChange", RoleChange), ("gate", Gate), ("beforeFailover", BeforeFailover), ("afterFailover", AfterFailover), ("beforeSwitchover", BeforeSwitchover),
            ("afterSwitchover", AfterSwitchover),
        }.Where(hook => hook.Item2 is not null).Select(hook => (hook.Item1, hook.Item2!));
}
