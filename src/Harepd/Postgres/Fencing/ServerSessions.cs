using System.Globalization;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Fencing;

/// <summary>
/// The processes of one server, told apart. pg_stat_activity decides where it answers quickly and lists the process; the title decides for the rest, since a
/// login under way is in no view. For one thread at a time; titles may hang, so never the thread that has to stop the postmaster.
/// </summary>
internal sealed class ServerSessions(PgEndpoint endpoint) : IDisposable
{
    private const string Sql = "select pid, usename, backend_type, client_port, datname is null from pg_stat_activity";

    private readonly Dictionary<int, string> _prefixes = [];
    private HashSet<string> _exempt = new(StringComparer.Ordinal);
    private PgSession? _session;
    private Dictionary<int, ServerProcessKind> _listed = [];

    /// <summary>Users whose sessions stay; taken from the policy at the start of a fence.</summary>
    public IReadOnlyList<string> ExemptUsers { set => _exempt = new HashSet<string>(value, StringComparer.Ordinal); }

    /// <summary>Opens the session for the listing ahead of need.</summary>
    public bool Warm(Instant deadline) => (_session ??= PgSession.TryOpen(endpoint, deadline, out _)) is not null;

    /// <summary>Asks the server for its sessions; without an answer in time the last listing is dropped.</summary>
    public void Ask(Instant deadline)
    {
        _listed = [];
        if (!Warm(deadline))
        {
            return;
        }

        var reply = _session!.Query(Sql, deadline);
        if (_session.IsBroken)
        {
            _session.Dispose();
            _session = null;
        }

        foreach (var row in reply.Rows)
        {
            if (row is [{ } pid, _, { } type, ..] && KindOf(type, row[1], row[3], row[4]) is { } kind)
            {
                _listed[int.Parse(pid, CultureInfo.InvariantCulture)] = kind;
            }
        }
    }

    /// <summary>The postmaster's children with their kind, without those that have ended.</summary>
    /// <param name="postmaster">Whose.</param>
    /// <param name="isThorough">Looks through all processes: the kernel's own list of children may skip one while another ends.</param>
    public IReadOnlyList<(ProcessFacts Process, ServerProcessKind Kind)> ChildrenOf(Postmaster postmaster, bool isThorough)
    {
        var found = new List<(ProcessFacts, ServerProcessKind)>();
        var children = isThorough
            ? ProcessFacts.All().Where(process => process.ParentPid == postmaster.Pid && !process.IsGone)
            : LivingChildren(postmaster.Pid);
        foreach (var process in children)
        {
            found.Add((process, _listed.TryGetValue(process.Pid, out var kind) ? kind : ByTitle(postmaster, process.Pid)));
        }

        return found;
    }

    /// <summary>Server processes of a folder whose postmaster is gone: they go on with what they were doing.</summary>
    public static IReadOnlyList<ProcessFacts> OrphansIn(string dataDirectory) =>
        FileFacts.Of(dataDirectory) is { } folder
            ? [.. ProcessFacts.All().Where(process => !process.IsGone && ProcessFacts.IsServerProcess(process.Pid, folder))]
            : [];

    /// <summary>The children of a process that have not ended.</summary>
    public static IEnumerable<ProcessFacts> LivingChildren(int pid)
    {
        var listed = ProcessFacts.ChildrenOf(pid)?.Select(ProcessFacts.Of).OfType<ProcessFacts>() ?? ProcessFacts.All();
        return listed.Where(process => process.ParentPid == pid && !process.IsGone);
    }

    public void Dispose() => _session?.Dispose();

    private ServerProcessKind ByTitle(Postmaster postmaster, int pid)
    {
        if (!_prefixes.TryGetValue(postmaster.Pid, out var prefix))
        {
            prefix = LivingChildren(postmaster.Pid).Select(child => ProcessTitle.PrefixFrom(ProcessFacts.TitleOf(child.Pid))).FirstOrDefault(found => found is not null);
            if (prefix is not null)
            {
                _prefixes.Clear();
                _prefixes[postmaster.Pid] = prefix;
            }
        }

        return new ProcessTitle(prefix ?? "postgres: ", _exempt).Classify(ProcessFacts.TitleOf(pid));
    }

    // Without the right to see others' rows only pid and user are shown; such a row says nothing here.
    private ServerProcessKind? KindOf(string type, string? user, string? clientPort, string? hasNoDatabase) => type switch
    {
        "client backend" => IsExempt(user, clientPort) ? ServerProcessKind.Exempt : ServerProcessKind.Client,
        "walsender" when hasNoDatabase == "t" => ServerProcessKind.Server,
        "walsender" => IsExempt(user, clientPort) ? ServerProcessKind.Exempt : ServerProcessKind.Client,
        _ => ServerProcessKind.Server,
    };

    private bool IsExempt(string? user, string? clientPort) => clientPort == "-1" || (user is not null && _exempt.Contains(user));
}
