using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Harepd.Core.Act;
using Harepd.Core.Model;

namespace Harepd.History;

/// <summary>One decision as the history keeps it: one JSON object on one line. What is not known is left out.</summary>
internal sealed record HistoryLine
{
    private const int MostText = 1000;

    /// <summary>Readable by people: nothing is escaped that need not be.</summary>
    private static readonly JsonTypeInfo<HistoryLine> _json =
        new HistoryJson(new JsonSerializerOptions(HistoryJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).HistoryLine;

    /// <summary>When, by the calendar of the node that decided; UTC.</summary>
    public required DateTime Time { get; init; }

    /// <summary>The node that decided.</summary>
    public required string Node { get; init; }

    /// <summary>Name of a <see cref="DecisionKind"/>; of a later version it may be one that is unknown here.</summary>
    public required string Kind { get; init; }

    /// <summary>Its number, the event id of the log.</summary>
    public int Event { get; init; }

    public long Term { get; init; }

    /// <summary><c>daemon</c> or <c>operator</c>.</summary>
    public string? Actor { get; init; }

    public string? From { get; init; }

    public string? To { get; init; }

    public string? Reason { get; init; }

    /// <summary>How long the step that ends with it took.</summary>
    public double? TookMs { get; init; }

    /// <summary>Of the server that it speaks of.</summary>
    public uint Timeline { get; init; }

    /// <summary>Where that timeline left its parent.</summary>
    public string? SwitchLsn { get; init; }

    /// <summary>Written by a primary, received by a standby.</summary>
    public string? Lsn { get; init; }

    public int? VotesYes { get; init; }

    public int? VotesNo { get; init; }

    public static HistoryLine Of(string node, DateTime atUtc, Decision decision) => new()
    {
        Time = atUtc,
        Node = node,
        Kind = decision.Kind.ToString(),
        Event = (int)decision.Kind,
        Term = decision.Term.Value,
        Actor = decision.Actor == DecisionActor.Operator ? "operator" : "daemon",
        From = Text(decision.From),
        To = Text(decision.To),
        Reason = Text(decision.Reason),
        TookMs = decision.Took is { } took ? Math.Round(Math.Max(0, took.TotalMilliseconds), 3) : null,
        Timeline = decision.Timeline.Timeline,
        SwitchLsn = decision.Timeline.SwitchLsn == default ? null : decision.Timeline.SwitchLsn.ToString(),
        Lsn = decision.Lsn == default ? null : decision.Lsn.ToString(),
        VotesYes = decision.Votes?.Yes,
        VotesNo = decision.Votes?.No,
    };

    /// <summary>The line, without its end; never holds a line feed.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, _json);

    /// <summary>Null where the line is none of ours, or torn.</summary>
    public static HistoryLine? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, _json) is { } line ? line with { Time = line.Time.ToUniversalTime() } : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(string text) => text.Length == 0 ? null : text.Length <= MostText ? text : text[..MostText];
}

/// <summary>The line as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(HistoryLine))]
internal sealed partial class HistoryJson : JsonSerializerContext;
