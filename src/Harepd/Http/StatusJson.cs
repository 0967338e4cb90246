using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.History;

namespace Harepd.Http;

/// <summary>The bodies of <c>/cluster</c>, <c>/history</c>, <c>/history/decisions</c> and <c>/config</c>. Pure.</summary>
internal static class StatusJson
{
    private const int UsualDecisions = 100;

    internal static ReadOnlyMemory<byte> Cluster(NodeStatus status)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartArray("members");
        foreach (var member in status.Members.Where(m => !m.IsWitness).OrderBy(m => m.Name, StringComparer.Ordinal))
        {
            WriteMember(json, member, status.HolderLsn);
        }

        json.WriteEndArray();
        json.WriteString("scope", status.Cluster);
        if (status.IsPaused)
        {
            json.WriteBoolean("pause", true);
        }

        WriteWitnesses(json, status);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    internal static ReadOnlyMemory<byte> History(NodeStatus status)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartArray();
        foreach (var entry in status.History)
        {
            json.WriteStartArray();
            json.WriteNumberValue(entry.Timeline);
            json.WriteNumberValue(entry.SwitchLsn.Value);
            json.WriteStringValue(entry.Reason);
            json.WriteStringValue(entry.At.ToString("yyyy-MM-ddTHH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture));
            json.WriteStringValue(entry.NewHolder);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>Own decisions, oldest first, in the form of the history file (<c>/history/decisions</c>).</summary>
    internal static ReadOnlyMemory<byte> Decisions(NodeStatus status, int? last)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartArray();
        foreach (var line in status.Decisions.TakeLast(Math.Min(last ?? UsualDecisions, HistoryLane.Kept)))
        {
            json.WriteRawValue(line.ToJson(), skipInputValidation: true);
        }

        json.WriteEndArray();
        json.Flush();
        return buffer.WrittenMemory;
    }

    internal static ReadOnlyMemory<byte> Config(NodeStatus status)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        foreach (var (key, value) in status.Config)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    internal static void WriteTags(Utf8JsonWriter json, ImmutableSortedDictionary<string, string> tags)
    {
        if (tags.IsEmpty)
        {
            return;
        }

        json.WriteStartObject("tags");
        foreach (var (key, value) in tags)
        {
            if (value is "true" or "false")
            {
                json.WriteBoolean(key, value == "true");
            }
            else
            {
                json.WriteString(key, value);
            }
        }

        json.WriteEndObject();
    }

    private static void WriteMember(Utf8JsonWriter json, MemberStatus member, Lsn holder)
    {
        json.WriteStartObject();
        json.WriteString("name", member.Name);
        json.WriteString("role", member.IsHolder ? "leader" : member.IsSynchronous ? "sync_standby" : member.IsQuorum ? "quorum_standby" : "replica");
        json.WriteString("state", State(member));
        json.WriteString("api_url", member.ApiUrl);
        json.WriteString("host", member.Host);
        json.WriteNumber("port", member.Port);
        json.WriteNumber("timeline", member.Timeline);
        WriteTags(json, member.Tags);
        if (!member.IsHolder)
        {
            WriteLag(json, "receive_lag", holder, member.ReceiveLsn);
            WriteLag(json, "replay_lag", holder, member.ReplayLsn);
            WriteLag(json, "lag", holder, member.ReceiveLsn > member.ReplayLsn ? member.ReceiveLsn : member.ReplayLsn);
            json.WriteString("receive_lsn", member.ReceiveLsn.ToString());
            json.WriteString("replay_lsn", member.ReplayLsn.ToString());
            json.WriteString("lsn", (member.ReceiveLsn > member.ReplayLsn ? member.ReceiveLsn : member.ReplayLsn).ToString());
        }

        json.WriteEndObject();
    }

    /// <summary>A standby's state is its replication state while it runs, as Patroni has it.</summary>
    private static string State(MemberStatus member) =>
        member.IsSilent ? "unknown"
        : member is { InRecovery: true, IsStreaming: true } && StatusWords.State(member.Health) == "running" ? "streaming"
        : StatusWords.State(member.Health);

    private static void WriteLag(Utf8JsonWriter json, string name, Lsn holder, Lsn reached)
    {
        if (holder == default || reached == default)
        {
            json.WriteString(name, "unknown");
        }
        else
        {
            json.WriteNumber(name, reached >= holder ? 0 : holder.Value - reached.Value);
        }
    }

    private static void WriteWitnesses(Utf8JsonWriter json, NodeStatus status)
    {
        json.WriteStartObject("harepd");
        json.WriteString("holder", status.HolderName);
        json.WriteStartArray("nodes");
        foreach (var member in status.Members.OrderBy(m => m.Name, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("name", member.Name);
            json.WriteBoolean("witness", member.IsWitness);
            json.WriteBoolean("silent", member.IsSilent);
            json.WriteString("gate", member.Gate.ToString());
            json.WriteString("server", member.IsWitness ? "" : member.Health.ToString());
            json.WriteString("reason", member.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
