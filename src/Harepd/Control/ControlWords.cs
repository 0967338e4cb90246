using System.Text.Json.Serialization;

namespace Harepd.Control;

/// <summary>What a command asks of the daemon of its host: one JSON object on one line.</summary>
/// <param name="Verb"><c>switchover</c>, <c>restart</c>, <c>cancel</c>, <c>failover</c>, <c>rejoin</c>, <c>pause</c>, <c>resume</c>,
/// <c>maintenance</c>, <c>end-maintenance</c>, <c>fence</c>, <c>unfence</c>, <c>stop</c> or <c>start</c>.</param>
/// <param name="To">Node name of the standby that shall take over; empty for the best.</param>
/// <param name="PauseMs">How long clients may wait at most; of <c>pause</c>, <c>maintenance</c>, <c>fence</c> and <c>stop</c>: how long these last.</param>
/// <param name="DryRun">Only the checks.</param>
/// <param name="AfterMs">Of <c>switchover</c> and <c>restart</c>: begin so long after; zero for now.</param>
/// <param name="AcceptsLoss">Of <c>failover</c>: what is lacking may be lost.</param>
/// <param name="TimeoutMs">Of <c>stop</c> and <c>start</c>: how long the server may take.</param>
/// <param name="AcceptsOutage">Of <c>fence</c> and <c>stop</c>: that nobody may be able to write meanwhile is wanted.</param>
internal sealed record ControlRequest(
    string Verb, string To = "", double PauseMs = 0, bool DryRun = false, bool AcceptsLoss = false, double AfterMs = 0, bool AcceptsOutage = false, double TimeoutMs = 0);

/// <summary>What the daemon answers: one JSON object a line, until one with <c>event: ended</c>, or <c>error</c>.</summary>
/// <param name="Event"><c>check</c>, <c>problem</c>, <c>begin</c>, <c>done</c>, <c>failed</c>, <c>ended</c>, <c>error</c>.</param>
/// <param name="Subject">The check, the step, or the outcome.</param>
/// <param name="Ms">How long it took.</param>
/// <param name="PauseMs">With the end: how long clients had to wait, as this node saw it.</param>
/// <param name="Detail">One sentence for people; may be empty.</param>
internal sealed record ControlAnswer(string Event, string Subject = "", double Ms = 0, double PauseMs = 0, string Detail = "");

/// <summary>The two as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlAnswer))]
internal sealed partial class ControlJson : JsonSerializerContext;
