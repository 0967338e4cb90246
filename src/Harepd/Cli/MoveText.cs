using System.Globalization;
using Harepd.Control;

namespace Harepd.Cli;

/// <summary>The report on a planned move for people, one line an event.</summary>
internal static class MoveText
{
    private static readonly Dictionary<string, string> Words = new(StringComparer.Ordinal)
    {
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
        ["Moved"] = "moved",
        ["Possible"] = "possible",
        ["Refused"] = "REFUSED",
        ["TakenBack"] = "TAKEN BACK",
        ["Failed"] = "FAILED",
        ["Asked"] = "asked",
    };

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
