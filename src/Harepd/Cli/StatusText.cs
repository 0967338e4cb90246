using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Peers;
using Spectre.Console;

namespace Harepd.Cli;

/// <summary>A member's state for people and for machines.</summary>
internal static class StatusText
{
    private static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void WriteTable(PeerStatus status, IAnsiConsole console)
    {
        var lease = status.Holder is { } holder ? $"lease held by {holder.Member}" : "nobody is known to hold the lease";
        console.MarkupLineInterpolated($"[bold]{status.Member}[/] harepd {status.Version}, membership {status.Stamp}, term {status.Term}, {lease}");
        var table = Terminal.NewTable("member", "node", "server", "role", "timeline", "written", "gate", "lease", "age", "reason");
        foreach (var report in InOrder(status))
        {
            string[] cells =
            [
                report.Member.ToString(), report.NodeName, report.IsWitness ? "" : report.Health.ToString(), Role(report),
                report.Timeline.IsUnknown ? "" : report.Timeline.ToString(), report.WriteLsn == default ? "" : report.WriteLsn.ToString(),
                report.IsWitness ? "" : report.Gate.ToString(), report.HeldTerm == Term.None ? "" : $"term {report.HeldTerm}",
                string.Create(CultureInfo.InvariantCulture, $"{report.Age.TotalSeconds:0.0} s"),
                Reason(report),
            ];
            table.AddRow([.. cells.Select(Markup.Escape)]);
        }

        console.Write(table);
        if (PausedFor(status) is { } paused)
        {
            console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"nobody takes over by itself for another {paused:d\\.hh\\:mm\\:ss} (harepd resume ends the pause)");
        }

        foreach (var route in status.Routes)
        {
            console.MarkupLineInterpolated($"{route}");
        }
    }

    public static void WriteJson(PeerStatus status, TextWriter output)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("member", status.Member.ToString());
            json.WriteString("version", status.Version);
            json.WriteString("cluster", status.Stamp.Cluster);
            json.WriteNumber("epoch", status.Stamp.Epoch);
            json.WriteNumber("term", status.Term.Value);
            json.WriteString("holder", status.Holder?.Member.ToString());
            json.WriteNumber("paused_for_ms", Math.Round((PausedFor(status) ?? TimeSpan.Zero).TotalMilliseconds));
            json.WriteStartArray("members");
            foreach (var report in InOrder(status))
            {
                WriteReport(json, report);
            }

            json.WriteEndArray();
            json.WriteStartArray("routes");
            foreach (var route in status.Routes)
            {
                json.WriteStringValue(route);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(bytes.ToArray()));
    }

    /// <summary>How much longer failovers are paused, by the latest order that any member tells of; null when they are not.</summary>
    internal static TimeSpan? PausedFor(PeerStatus status)
    {
        var latest = status.Reports.Where(report => report.Pause is not null).MaxBy(report => report.Pause!.Number);
        return latest is { Pause: { } pause } && pause.For > latest.Age ? pause.For - latest.Age : null;
    }

    private static void WriteReport(Utf8JsonWriter json, NodeReport report)
    {
        json.WriteStartObject();
        json.WriteString("member", report.Member.ToString());
        json.WriteString("node", report.NodeName);
        json.WriteString("address", report.Address);
        json.WriteString("role", Role(report));
        json.WriteString("server", report.Health.ToString());
        json.WriteNumber("timeline", report.Timeline.Timeline);
        json.WriteString("write_lsn", report.WriteLsn.ToString());
        json.WriteString("replay_lsn", report.ReplayLsn.ToString());
        json.WriteBoolean("is_streaming", report.IsStreaming);
        json.WriteString("gate", report.Gate.ToString());
        json.WriteNumber("held_term", report.HeldTerm.Value);
        json.WriteNumber("age_ms", report.Age.TotalMilliseconds);
        json.WriteString("reason", report.Reason);
        json.WriteString("failover", report.Failover);
        json.WriteNumber("maintained_for_ms", Math.Round((Left(report, orders => orders.Maintained) ?? TimeSpan.Zero).TotalMilliseconds));
        json.WriteNumber("fenced_for_ms", Math.Round((Left(report, orders => orders.Fenced) ?? TimeSpan.Zero).TotalMilliseconds));
        json.WriteBoolean("is_stopped_by_order", report.Orders?.IsStopped == true);
        json.WriteString("waits_for", report.InForce);
        json.WriteString("waits_for_noted", report.Stated);
        json.WriteEndObject();
    }

    private static string Reason(NodeReport report)
    {
        var failover = report.Failover.Length == 0 ? "" : $"; failover: {report.Failover}";
        var noted = report.Stated == report.InForce ? "" : report.Stated.Length == 0 ? ", not noted by the voters yet" : $", noted: {report.Stated}";
        var waits = report.InForce.Length == 0 ? "" : $"; commits wait for {report.InForce}{noted}";
        return report.Reason + Orders(report) + waits + failover;
    }

    private static string Orders(NodeReport report) =>
        (Left(report, orders => orders.Maintained) is { } maintained ? $"; in maintenance for another {maintained:d\\.hh\\:mm\\:ss}" : "")
        + (Left(report, orders => orders.Fenced) is { } fenced ? $"; fenced by an order for another {fenced:d\\.hh\\:mm\\:ss}" : "")
        + (report.Orders?.IsStopped == true ? "; stopped by an order (harepd start)" : "");

    /// <summary>How much longer an order of the member is in force; null when it is not.</summary>
    internal static TimeSpan? Left(NodeReport report, Func<OrdersTold, TimeSpan> of) => report.Orders is { } orders && of(orders) > report.Age ? of(orders) - report.Age : null;

    /// <summary>What a member is, in a word or two.</summary>
    internal static string Role(NodeReport report) => report.IsWitness ? "witness"
        : report.IsRogue ? "rogue primary"
        : report.InRecovery switch { true => "standby", false => "primary", null => "unknown" };

    private static IEnumerable<NodeReport> InOrder(PeerStatus status) => status.Reports.OrderBy(report => report.Member);
}
