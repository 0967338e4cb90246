using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Harepd.Cli.Check;

/// <summary>Writes the report for machines: one JSON object; durations in milliseconds.</summary>
internal static class CheckJson
{
    private static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(CheckReport report, TextWriter output)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("file", report.File);
            json.WriteBoolean("valid", report.Config is not null);
            json.WriteNumber("exit_code", report.ExitCode);
            WriteErrors(json, report);
            WriteNode(json, report);
            WriteDoors(json, report);
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(bytes.ToArray()));
    }

    private static void WriteErrors(Utf8JsonWriter json, CheckReport report)
    {
        json.WriteStartArray("errors");
        foreach (var error in report.Errors)
        {
            json.WriteStartObject();
            json.WriteNumber("line", error.Line);
            json.WriteString("key", error.Key);
            json.WriteString("value", error.Value);
            json.WriteString("problem", error.Problem);
            json.WriteString("mend", error.Mend);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNode(Utf8JsonWriter json, CheckReport report)
    {
        if (report.Config is not { } config)
        {
            return;
        }

        json.WriteString("cluster", config.Cluster);
        json.WriteString("node", config.NodeName);
        json.WriteString("member", config.Self.ToString());
        WriteTexts(json, "members", config.Members.Select(member => member.ToString()));
        WriteTexts(json, "notes", report.Notes);
        json.WriteStartObject("budget");
        foreach (var line in BudgetTable.Of(config.Lease))
        {
            json.WriteNumber(line.Name, line.Span.TotalMilliseconds);
        }

        json.WriteEndObject();
    }

    private static void WriteDoors(Utf8JsonWriter json, CheckReport report)
    {
        json.WriteStartArray("doors");
        foreach (var door in report.Doors)
        {
            json.WriteStartObject();
            json.WriteString("door", door.Door);
            json.WriteString("state", door.State.ToString().ToLowerInvariant());
            json.WriteString("detail", door.Detail);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
