using System.Collections.Immutable;
using System.Globalization;
using Harepd.Clock;
using Harepd.Postgres;
using Harepd.Postgres.Wire;

namespace Harepd.Repmgr;

/// <summary>One look into <c>repmgr.nodes</c> over a connection of its own, synchronous and bounded by the hang timeout.</summary>
/// <param name="settings">Where the server is; user and database are repmgr's.</param>
internal sealed class RepmgrTable(PostgresSettings settings)
{
    private const string Rows = """
        select node_id, node_name, type, active, upstream_node_id, conninfo, location, priority from repmgr.nodes order by node_id limit 1000
        """;

    private const string UndefinedColumn = "42703";

    public RepmgrView Read()
    {
        var begun = BootClock.Now;
        var deadline = begun + settings.HangTimeout;
        using var session = PgSession.TryOpen(settings.Endpoint("repmgr", KeyValuePair.Create("statement_timeout", Millis(settings.HangTimeout))), deadline, out var fault);
        if (session is null)
        {
            return Absent(fault!);
        }

        var reply = session.Query(Rows, deadline);
        return reply.Fault is { } failure ? Absent(failure) : new RepmgrView.Known([.. reply.Rows.Select(ToNode).OfType<RepmgrNode>()], begun);
    }

    private static RepmgrNode? ToNode(string?[] row) =>
        row is [{ } id, var name, var type, var active, var upstream, var conninfo, var location, var priority]
            && int.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? new RepmgrNode(number, name ?? "", TypeOf(type), active == "t", Number(upstream), conninfo ?? "", location ?? "", Number(priority) ?? 0)
            : null;

    private static RepmgrNodeType TypeOf(string? type) => type switch
    {
        "primary" => RepmgrNodeType.Primary,
        "standby" => RepmgrNodeType.Standby,
        "witness" => RepmgrNodeType.Witness,
        _ => RepmgrNodeType.Other,
    };

    private RepmgrView.Unknown Absent(PgFault fault) => fault switch
    {
        { SqlState: PgFault.UndefinedDatabase } => new(RepmgrAbsence.NoDatabase, $"there is no database {settings.Database}"),
        { SqlState: PgFault.UndefinedTable or PgFault.UndefinedSchema } => new(RepmgrAbsence.NoTables, $"database {settings.Database} holds no repmgr.nodes"),
        { SqlState: UndefinedColumn } => new(RepmgrAbsence.NoTables, $"repmgr.nodes in database {settings.Database} is of another version"),
        { SqlState: PgFault.CannotConnectNow or PgFault.TooManyConnections } or { Kind: not (PgFaultKind.Server or PgFaultKind.Protocol) } =>
            new(RepmgrAbsence.NoServer, $"the server does not answer ({(fault.SqlState.Length > 0 ? fault.SqlState : fault.Kind)})"),
        { Kind: PgFaultKind.Protocol } => new(RepmgrAbsence.Refused, fault.Message),
        _ => new(RepmgrAbsence.Refused, $"the server refuses user {settings.User} ({fault.SqlState})"),
    };

    private static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Millis(TimeSpan span) => Math.Max(1, (long)span.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
