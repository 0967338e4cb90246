using System.Globalization;
using System.Text;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Http;

/// <summary>
/// The status as Prometheus text (exposition format 0.0.4): Patroni's metric names with its labels, then ours. Pure.
/// </summary>
internal static class MetricsText
{
    internal static string Write(NodeStatus? status, Instant now)
    {
        if (status is null)
        {
            return "";
        }

        var text = new Page($"{{scope=\"{Escape(status.Cluster)}\",name=\"{Escape(status.Name)}\"}}");
        Patroni(text, status);
        Ours(text, status, now);
        return text.ToString();
    }

    private static void Patroni(Page text, NodeStatus status)
    {
        var server = status.Server;
        var isStandby = server?.InRecovery == true;
        var holds = status.HeldTerm != Term.None && status.LeaseDeadline != Instant.Zero;
        var started = server?.PostmasterStarted is { } at ? (at - DateTime.UnixEpoch).TotalSeconds : 0;
        text.Add("patroni_version", "Patroni's API version that is answered, as a number.", 40104);
        text.Add("patroni_postgres_running", "1 if PostgreSQL is running.", status.IsServerRunning);
        text.Add("patroni_postmaster_start_time", "Unix time when the postmaster began.", started);
        text.Add("patroni_primary", "1 if this node holds the lease.", holds);
        text.Add("patroni_xlog_location", "Write position of a primary, 0 on a standby.", isStandby ? 0 : server?.WriteLsn.Value ?? 0);
        text.Add("patroni_replica", "1 if the server is a standby.", isStandby);
        text.Add("patroni_sync_standby", "1 if commits wait for this standby.", status.IsSynchronous);
        text.Add("patroni_quorum_standby", "1 if this standby is one of a quorum.", status.IsQuorum);
        text.Add("patroni_xlog_received_location", "Received position of a standby, 0 on a primary.", isStandby ? server!.WriteLsn.Value : 0);
        text.Add("patroni_xlog_replayed_location", "Replayed position of a standby, 0 on a primary.", isStandby ? server!.ReplayLsn.Value : 0);
        text.Add("patroni_xlog_replayed_timestamp", "Always 0: replay delay is harepd_replay_delay_seconds.", 0);
        text.Add("patroni_xlog_paused", "Always 0: not watched.", 0);
        text.Add("patroni_postgres_streaming", "1 if a standby streams.", server?.IsStreaming == true);
        text.Add("patroni_postgres_server_version", "Version of PostgreSQL.", server?.ServerVersion ?? 0);
        text.Add("patroni_cluster_unlocked", "1 if nobody is known to hold the lease.", status.HolderName.Length == 0);
        text.Add("patroni_postgres_timeline", "Timeline of the server.", server?.Timeline.Timeline ?? 0);
        text.Add("patroni_dcs_last_seen", "Unix time when a majority was last heard.", status.MajoritySeenUnix);
        text.Add("patroni_pending_restart", "1 if settings wait for a restart.", status.IsRestartPending);
        text.Add("patroni_is_paused", "1 if decisions are suspended.", status.IsPaused);
    }

    private static void Ours(Page text, NodeStatus status, Instant now)
    {
        var holds = status.HoldsLease(now);
        text.Add("harepd_holds_lease", "1 while the lease is held here.", holds);
        text.Add("harepd_lease_left_seconds", "Time left of the lease held here, 0 without one.", holds ? (status.LeaseDeadline - now).TotalSeconds : 0);
        text.Add("harepd_term", "Term of the lease held here, 0 without one.", holds ? status.HeldTerm.Value : 0);
        text.Add("harepd_gate", "Confirmed gate: 0 fenced, 1 read-only, 2 read-write.", (int)status.Gate);
        text.Add("harepd_heartbeat_age_seconds", "Age of the deciding loop's last turn.", (now - status.At).TotalSeconds);
        text.Add("harepd_rogue", "1 if the server takes writes without the lease.", status.IsRogue);
        text.Add("harepd_waits_for", "On a primary: how many standbys a commit waits for.", status.WaitsFor);
        text.Add("harepd_waits_for_noted", "On the holder: how many standbys each acknowledged commit is on, by a majority's note.", status.WaitsForNoted);
        text.Add("harepd_readable", "1 if a standby here may serve reads.", status.IsReadable);
        text.Add("harepd_server_health", "0 unknown, 1 running, 2 starting, 3 slots full, 4 hung, 5 cannot write, 6 stopped, 7 down.",
            (int)(status.Server?.Health ?? ServerHealth.Unknown));
        text.Add("harepd_replay_delay_seconds", "Replay delay of a standby as far as known.", status.Server?.ReplayDelay?.TotalSeconds ?? 0);
        text.Add("harepd_members", "Members known.", status.Members.Length);
        text.Add("harepd_members_silent", "Members whose reports are too old.", status.Members.Count(m => m.IsSilent));
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private sealed class Page(string labels)
    {
        private readonly StringBuilder _text = new(4096);

        public void Add(string name, string help, bool value) => Add(name, help, value ? 1 : 0);

        public void Add(string name, string help, double value) =>
            _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n')
                .Append("# TYPE ").Append(name).Append(" gauge\n")
                .Append(name).Append(labels).Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');

        public override string ToString() => _text.ToString();
    }
}
