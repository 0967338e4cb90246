using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Http;

/// <summary>The body of <c>GET /patroni</c> and of every health answer: Patroni's keys, and our own under <c>harepd</c>. Pure.</summary>
internal static class NodeJson
{
    internal static ReadOnlyMemory<byte> Write(NodeStatus? status, Instant now)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        if (status is null)
        {
            json.WriteString("state", "unknown");
        }
        else
        {
            WriteServer(json, status.Server);
            WriteCluster(json, status);
            WriteOurs(json, status, now);
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteServer(Utf8JsonWriter json, ServerObservation? server)
    {
        json.WriteString("state", StatusWords.State(server?.Health));
        if (server is null)
        {
            json.WriteString("role", "witness");
            return;
        }

        if (server.PostmasterStarted is { } started)
        {
            json.WriteString("postmaster_start_time", started.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) + "+00:00");
        }

        json.WriteString("role", StatusWords.Role(server.InRecovery));
        json.WriteNumber("server_version", server.ServerVersion);
        WriteXlog(json, server);
        json.WriteNumber("timeline", server.Timeline.Timeline);
        if (server.InRecovery == true)
        {
            json.WriteString("replication_state", StatusWords.ReplicationState(server.IsStreaming));
        }

        if (server.Replicas.Count > 0)
        {
            WriteReplicas(json, server.Replicas);
        }

        json.WriteString("database_system_identifier", server.SystemId.ToString());
    }

    private static void WriteXlog(Utf8JsonWriter json, ServerObservation server)
    {
        json.WriteStartObject("xlog");
        if (server.InRecovery == false)
        {
            json.WriteNumber("location", server.WriteLsn.Value);
        }
        else
        {
            json.WriteNumber("received_location", server.WriteLsn.Value);
            json.WriteNumber("replayed_location", server.ReplayLsn.Value);
            json.WriteNull("replayed_timestamp");
            json.WriteBoolean("paused", false);
        }

        json.WriteEndObject();
    }

    private static void WriteReplicas(Utf8JsonWriter json, IReadOnlyList<ReplicaLink> replicas)
    {
        json.WriteStartArray("replication");
        foreach (var replica in replicas)
        {
            json.WriteStartObject();
            json.WriteNull("usename");
            json.WriteString("application_name", replica.ApplicationName);
            json.WriteString("client_addr", replica.ClientAddress);
            json.WriteString("state", replica.State);
            json.WriteString("sync_state", replica.SyncState);
            json.WriteNumber("sync_priority", replica.SyncState == "async" ? 0 : 1);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteCluster(Utf8JsonWriter json, NodeStatus status)
    {
        WriteWhen(json, "sync_standby", status.IsSynchronous);
        WriteWhen(json, "quorum_standby", status.IsQuorum);
        WriteWhen(json, "pause", status.IsPaused);
        WriteWhen(json, "cluster_unlocked", status.HolderName.Length == 0);
        WriteWhen(json, "pending_restart", status.IsRestartPending);
        if (status.MajoritySeenUnix > 0)
        {
            json.WriteNumber("dcs_last_seen", status.MajoritySeenUnix);
        }

        StatusJson.WriteTags(json, status.Tags);
        json.WriteStartObject("patroni");
        json.WriteString("version", StatusWords.ApiShape);
        json.WriteString("scope", status.Cluster);
        json.WriteString("name", status.Name);
        json.WriteEndObject();
    }

    private static void WriteOurs(Utf8JsonWriter json, NodeStatus status, Instant now)
    {
        var holds = status.HoldsLease(now);
        json.WriteStartObject("harepd");
        json.WriteString("version", StatusWords.OwnVersion);
        json.WriteString("gate", status.Gate.ToString());
        json.WriteString("reason", status.Reason);
        json.WriteBoolean("holds_lease", holds);
        json.WriteString("holder", status.HolderName);
        json.WriteNumber("term", holds ? status.HeldTerm.Value : 0);
        json.WriteNumber("lease_left_ms", holds ? (long)(status.LeaseDeadline - now).TotalMilliseconds : 0);
        json.WriteNumber("heartbeat_age_ms", (long)(now - status.At).TotalMilliseconds);
        json.WriteBoolean("rogue", status.IsRogue);
        if (status.Server is { } server)
        {
            json.WriteString("server", server.Health.ToString());
            json.WriteString("detail", server.Detail);
        }

        json.WriteEndObject();
    }

    private static void WriteWhen(Utf8JsonWriter json, string name, bool value)
    {
        if (value)
        {
            json.WriteBoolean(name, true);
        }
    }
}
