using System.Globalization;
using Harepd.Clock;
using Harepd.Postgres;
using Harepd.Postgres.Wire;

namespace Harepd.Repmgr;

/// <summary>
/// Says in <c>repmgr.nodes</c> what a promotion by harepd has made of the cluster, as <c>repmgr standby promote</c> and <c>repmgr standby follow</c> would: this node is
/// the primary, every other data node a standby of it, and the witness follows it.
/// </summary>
/// <param name="settings">Of the local server; user and database are repmgr's.</param>
/// <param name="nodeName">This node's name in repmgr.</param>
internal sealed class RepmgrWriter(PostgresSettings settings, string nodeName)
{
    /// <summary>Null when it is noted or there is nothing to note, for there are no such tables; otherwise why not.</summary>
    public string? NotePrimary()
    {
        var limit = BootClock.Now + settings.HangTimeout;
        KeyValuePair<string, string>[] limits =
        [
            new("statement_timeout", Math.Max(1, (long)settings.HangTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)),
            // A synchronous standby that is missing just now must not keep this waiting.
            new("synchronous_commit", "local"),
        ];
        using var session = PgSession.TryOpen(settings.Endpoint("repmgr", limits), limit, out var fault);
        if (session is null)
        {
            return fault is { SqlState: PgFault.UndefinedDatabase } ? null : fault!.ToString();
        }

        var reply = session.Query(Statement(), limit);
        return reply.Fault is null or { SqlState: PgFault.UndefinedTable or PgFault.UndefinedSchema } ? null : reply.Fault.ToString();
    }

    private string Statement()
    {
        var name = nodeName.Replace("'", "''", StringComparison.Ordinal);
        return $"""
            update repmgr.nodes n set
                active = n.active or n.node_id = me.node_id,
                type = case when n.node_id = me.node_id then 'primary' when n.type = 'primary' then 'standby' else n.type end,
                upstream_node_id = case when n.node_id = me.node_id then null when n.type in ('primary', 'witness')
                    or n.upstream_node_id is null or n.upstream_node_id in (select node_id from repmgr.nodes where type = 'primary')
                    then me.node_id else n.upstream_node_id end
            from repmgr.nodes me where me.node_name = '{name}'
            """;
    }
}
