using System.Text.RegularExpressions;

namespace Harepd.Postgres.Fencing;

/// <summary>What a child of the postmaster is, as far as a fence cares.</summary>
internal enum ServerProcessKind
{
    /// <summary>Forked and without a title yet: a connection that is still authenticating, or for a moment anything else.</summary>
    Untitled,

    /// <summary>The server's own: checkpointer, WAL writer, background workers, a physical WAL sender.</summary>
    Server,

    /// <summary>A session over the unix socket or of an exempt user.</summary>
    Exempt,

    /// <summary>A session, or a login under way, of an ordinary client.</summary>
    Client,
}

/// <summary>
/// Reads a process title as PostgreSQL sets it: <c>postgres: [cluster: ]user database host(port) activity</c>. User and database are chosen by the client, so every form that spares a process is
/// matched to its very end, where PostgreSQL writes host, port and activity itself; what is not recognised is a client. Pure.
/// </summary>
/// <param name="clusterPrefix">What stands before the title proper on this server, learnt from <see cref="PrefixFrom"/>.</param>
/// <param name="exemptUsers">Users whose sessions stay.</param>
internal sealed partial class ProcessTitle(string clusterPrefix, IReadOnlySet<string> exemptUsers)
{
    private const string ServerPrefix = "postgres: ";

    /// <summary>
    /// The prefix of this server's titles (with <c>cluster_name</c>), from the title of its checkpointer, which also says when it shuts down or ends a recovery; null where the title
    /// is another's.
    /// </summary>
    public static string? PrefixFrom(string title) =>
        Checkpointer().Match(title) is { Success: true } match && !HostAndPort().IsMatch(title) && !title.Contains(" [local]", StringComparison.Ordinal) ? match.Groups[1].Value : null;

    public ServerProcessKind Classify(string title)
    {
        if (!title.StartsWith(ServerPrefix, StringComparison.Ordinal))
        {
            return ServerProcessKind.Untitled;
        }

        var isLocal = title.Contains(" [local]", StringComparison.Ordinal);
        if (!isLocal && !HostAndPort().IsMatch(title))
        {
            return ServerProcessKind.Server;
        }

        var text = title.StartsWith(clusterPrefix, StringComparison.Ordinal) ? title[clusterPrefix.Length..] : title;
        if (PhysicalSender().IsMatch(text))
        {
            return ServerProcessKind.Server;
        }

        var isExempt = LocalSession().IsMatch(text) || (RemoteSession().Match(text) is { Success: true } match && exemptUsers.Contains(match.Groups[1].Value));
        return isExempt ? ServerProcessKind.Exempt : ServerProcessKind.Client;
    }

    [GeneratedRegex(@"^(postgres: (?:.+: )?)checkpointer(?: performing [a-z -]+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Checkpointer();

    [GeneratedRegex(@"\S\(\d+\)( |$)", RegexOptions.CultureInvariant)]
    private static partial Regex HostAndPort();

    // Only a physical WAL sender reports a position; a logical one can run SQL and shows its command instead.
    [GeneratedRegex(@"^walsender \S+ (\[local\]|\S+\(\d+\)) streaming [0-9A-F]+/[0-9A-F]+$", RegexOptions.CultureInvariant)]
    private static partial Regex PhysicalSender();

    // No digit may follow the host but a position waited for: every TCP session ends in host(port) and an activity of letters.
    [GeneratedRegex(@" \[local\]( [A-Za-z_ ()]*(waiting for [0-9A-F]+/[0-9A-F]+)?)?$", RegexOptions.CultureInvariant)]
    private static partial Regex LocalSession();

    [GeneratedRegex(@"^(\S+) \S+ \S+\(\d+\)( [A-Za-z_ ()]*(waiting for [0-9A-F]+/[0-9A-F]+)?)?$", RegexOptions.CultureInvariant)]
    private static partial Regex RemoteSession();
}
