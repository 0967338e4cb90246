using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Harepd.Config;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.History;
using Harepd.Peers;
using Spectre.Console;

namespace Harepd.Cli;

/// <summary><c>harepd dataloss -f FILE</c>: what each standby lacks of the furthest known position, and what promotions may have lost.</summary>
internal static class DataLossCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly string[] Kinds = [nameof(DecisionKind.PossibleLoss), nameof(DecisionKind.FailoverOrdered), nameof(DecisionKind.RejoinDone)];

    public static Command Build(Option<string?> file, Manual manual)
    {
        var json = new Option<bool>("--json") { Description = "One JSON object instead of tables" };
        var command = new Command("dataloss", "Show what standbys lack, and what promotions may have lost.") { json };
        manual.Add(command, """
            Asks this node's daemon what every server has by its last word, and reads this node's history for promotions of a standby that lacked
            something and for old primaries that were rewound. Run it as root or the daemon's user. "lacks" counts bytes to the furthest position
            known of any server; while the primary writes it is never zero for long. Exit codes: 0 the daemon answered, 69 it did not.

            Example:
              harepd dataloss -f /etc/harepd.yml
            """);
        command.SetAction(async (parsed, stop) =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.ServerOnly, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            var access = PeerAccess.Of(read.Config.Grpc);
            var probe = access.Options is { } options ? await PeerProbe.AskAsync(read.Config.Self, options, Patience, stop) : new PeerProbe.Failed(access.Error);
            var records = HistoryReader.ReadFolder(read.Config.StateDir).Lines.Where(line => Kinds.Contains(line.Kind)).OrderBy(line => line.Time).ToList();
            var status = (probe as PeerProbe.Told)?.Status;
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json))
            {
                output.WriteLine(Json(status, records));
            }
            else
            {
                WriteTables(status, records, output);
            }

            if (status is null)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(
                    $"{read.Config.Self} does not tell its state: {(probe is PeerProbe.Failed(var why) ? why : "it is no harepd of this generation")}");
                return ExitCodes.Unavailable;
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>The furthest position that any server told of, on the newest timeline; null when nobody told of any.</summary>
    internal static NodeReport? Furthest(IEnumerable<NodeReport> reports) => reports
        .Where(report => !report.IsWitness && report.WriteLsn != default && !report.Timeline.IsUnknown)
        .OrderByDescending(report => report.Timeline.Timeline)
        .ThenByDescending(report => report.WriteLsn)
        .FirstOrDefault();

    /// <summary>What a server lacks of the furthest one, in bytes; null where that cannot be said.</summary>
    internal static long? Lacks(NodeReport report, NodeReport? furthest) => furthest is null || report.WriteLsn == default || report.Timeline != furthest.Timeline
        ? null
        : (long)(furthest.WriteLsn.Value - Math.Min(report.WriteLsn.Value, furthest.WriteLsn.Value));

    private static void WriteTables(PeerStatus? status, List<HistoryLine> records, TextWriter output)
    {
        if (status is not null)
        {
            var furthest = Furthest(status.Reports);
            var table = Terminal.NewTable("node", "role", "timeline", "position", "lacks", "age", "failover");
            foreach (var report in status.Reports.Where(report => !report.IsWitness).OrderBy(report => report.Member))
            {
                string[] cells =
                [
                    report.NodeName, StatusText.Role(report), report.Timeline.IsUnknown ? "" : report.Timeline.ToString(), report.WriteLsn == default ? "" : report.WriteLsn.ToString(),
                    Lacks(report, furthest) is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes") : "not known",
                    string.Create(CultureInfo.InvariantCulture, $"{report.Age.TotalSeconds:0.0} s"), report.Failover,
                ];
                table.AddRow([.. cells.Select(Markup.Escape)]);
            }

            Terminal.For(output).Write(table);
        }

        output.WriteLine(records.Count == 0 ? "this node promoted nobody that lacked something, and rewound nothing" : "what was lost here, or may have been:");
        if (records.Count > 0)
        {
            HistoryText.Write(records, isJson: false, output);
        }
    }

    private static string Json(PeerStatus? status, List<HistoryLine> records)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartArray("servers");
            var furthest = Furthest(status?.Reports ?? []);
            foreach (var report in (status?.Reports ?? []).Where(report => !report.IsWitness).OrderBy(report => report.Member))
            {
                json.WriteStartObject();
                json.WriteString("node", report.NodeName);
                json.WriteString("role", StatusText.Role(report));
                json.WriteNumber("timeline", report.Timeline.Timeline);
                json.WriteString("position", report.WriteLsn.ToString());
                if (Lacks(report, furthest) is { } lacks)
                {
                    json.WriteNumber("lacks_bytes", lacks);
                }

                json.WriteNumber("age_ms", report.Age.TotalMilliseconds);
                json.WriteString("failover", report.Failover);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("records");
            foreach (var record in records)
            {
                json.WriteRawValue(record.ToJson());
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
