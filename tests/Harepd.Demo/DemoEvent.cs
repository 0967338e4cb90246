using System.Text.Json.Serialization;

namespace Harepd.Demo;

/// <summary>What one step of the demo came to, by the clients' own records. Durations in milliseconds on the boot-time clock.</summary>
internal sealed record DemoEvent
{
    /// <summary><c>started</c>, <c>switchover</c>, <c>failover</c>, <c>summary</c> or <c>failed</c>.</summary>
    [JsonPropertyName("event")]
    public required string Event { get; init; }

    [JsonPropertyName("round")]
    public int Round { get; init; }

    /// <summary>The primary before; empty where it does not apply.</summary>
    [JsonPropertyName("from")]
    public string From { get; init; } = "";

    /// <summary>The primary after.</summary>
    [JsonPropertyName("to")]
    public string To { get; init; } = "";

    /// <summary>The longest time without an acknowledged write through HAProxy; of a summary, the median over the switchovers.</summary>
    [JsonPropertyName("write_gap_ms")]
    public double? WriteGapMs { get; init; }

    /// <summary>From the promotion request in the new primary's log to the first write that it acknowledged through HAProxy.</summary>
    [JsonPropertyName("promotion_to_first_write_ms")]
    public double? PromotionToFirstWriteMs { get; init; }

    /// <summary>From the moment the new primary was seen out of recovery to that first write.</summary>
    [JsonPropertyName("writable_to_first_write_ms")]
    public double? WritableToFirstWriteMs { get; init; }

    /// <summary>Acknowledged since the step before, by any path; of a summary, all.</summary>
    [JsonPropertyName("writes_acknowledged")]
    public int WritesAcknowledged { get; init; }

    /// <summary>Acknowledged, and not there on the new primary, since the step before; of a summary, all. A killed primary loses what it had not sent yet.</summary>
    [JsonPropertyName("writes_lost")]
    public int WritesLost { get; init; }

    /// <summary>Of all lost ones those that had reached the standby: there may never be one.</summary>
    [JsonPropertyName("writes_lost_though_delivered")]
    public int WritesLostThoughDelivered { get; init; }

    /// <summary>How long two servers took writes at the same time, by any path.</summary>
    [JsonPropertyName("two_writers_ms")]
    public double TwoWritersMs { get; init; }

    [JsonPropertyName("ok")]
    public bool Ok => Wrong.Count == 0;

    /// <summary>What did not go as it must, a sentence each.</summary>
    [JsonPropertyName("wrong")]
    public IReadOnlyList<string> Wrong { get; init; } = [];
}
