using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Harepd.Control;
using Harepd.Core.Act;

namespace Harepd.Cli;

/// <summary>What the daemon answers to an order, for people one line an event, or as it comes.</summary>
internal static class ControlText
{
    private static readonly Dictionary<string, string> Words = new(StringComparer.Ordinal)
    {
        ["Consult"] = "ask the hook before a switchover",
        ["Prepare"] = "checkpoint",
        ["Hold"] = "hold new clients at HAProxy",
        ["Shut"] = "shut the gate",
        ["Stop"] = "stop PostgreSQL",
        ["HandOver"] = "wait until the standby has everything",
        ["TakeOver"] = "the standby takes the lease and promotes itself",
        ["Rejoin"] = "come back as a standby",
        ["Restart"] = "start PostgreSQL again",
        ["TakeBack"] = "get the lease back",
        ["Reopen"] = "open the gate again",
        ["Halt"] = "PostgreSQL stays stopped under the lease",
        ["Moved"] = "moved",
        ["Restarted"] = "restarted",
        ["Possible"] = "possible",
        ["Refused"] = "REFUSED",
        ["Scheduled"] = "scheduled",
        ["TakenBack"] = "TAKEN BACK",
        ["Failed"] = "FAILED",
        ["Stopped"] = "stopped",
        ["Done"] = "done",
        ["Asked"] = "asked",
    };

    private static readonly string[] Good =
    [
        nameof(MoveOutcome.Moved), nameof(MoveOutcome.Restarted), nameof(MoveOutcome.Possible), nameof(MoveOutcome.Scheduled), nameof(MoveOutcome.Done), nameof(MoveOutcome.Stopped), "Asked",
    ];

    /// <summary>Gives the order, writes the answers as they come, and turns the last one into an exit code.</summary>
    public static async Task<int> FollowAsync(string runDir, ControlRequest request, bool isJson, InvocationConfiguration invocation, CancellationToken stop)
    {
        var last = new ControlAnswer("error");
        await foreach (var answer in ControlCall.AskAsync(runDir, request, stop))
        {
            last = answer;
            if (isJson)
            {
                await invocation.Output.WriteLineAsync(JsonSerializer.Serialize(answer, ControlJson.Default.ControlAnswer));
            }
            else if (LineOf(answer) is { } line)
            {
                await (answer.Event == "error" ? invocation.Error : invocation.Output).WriteLineAsync(line);
            }
        }

        return (last.Event, last.Subject) switch
        {
            ("ended", var outcome) when Good.Contains(outcome) => ExitCodes.Ok,
            ("ended", nameof(MoveOutcome.Refused) or nameof(MoveOutcome.TakenBack)) => ExitCodes.Temporary,
            ("ended", _) => ExitCodes.Internal,
            _ => ExitCodes.Unavailable,
        };
    }

    /// <summary>Null where there is nothing to say to a person.</summary>
    public static string? LineOf(ControlAnswer answer)
    {
        var subject = Words.GetValueOrDefault(answer.Subject, answer.Subject);
        return answer.Event switch
        {
            "check" => $"  ok        {subject}",
            "problem" => $"  PROBLEM   {subject}",
            "begin" => null,
            "done" => $"{Milliseconds(answer.Ms)}  {subject}{After(answer.Detail)}",
            "failed" => $"{Milliseconds(answer.Ms)}  {subject}: FAILED{After(answer.Detail)}",
            "ended" when answer.PauseMs > 0 => string.Create(CultureInfo.InvariantCulture, $"{subject}: {answer.Detail} (clients waited {answer.PauseMs:F0} ms, all of it took {answer.Ms:F0} ms)"),
            "ended" => $"{subject}: {answer.Detail}",
            _ => answer.Detail,
        };
    }

    private static string Milliseconds(double took) => string.Create(CultureInfo.InvariantCulture, $"{took,8:F0} ms");

    private static string After(string detail) => detail.Length == 0 ? "" : $" ({detail})";
}
