using System.Buffers;
using System.Globalization;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>
/// Ends sessions that live on in workers of before a reload. Those refuse <c>shutdown sessions server</c> ("Proxy is disabled",
/// measured on 2.6) and the runtime socket no longer leads to them, so the master socket lists them and each session is ended by name.
/// </summary>
internal sealed class OldWorkers(RuntimeClient master)
{
    private const int MostWorkers = 32;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");
    private const int LargestListing = 8 * 1024 * 1024;

    /// <summary>
    /// Ends every session that <paramref name="mustEnd"/> (backend, server or <c>&lt;none&gt;</c> while queued) accepts.
    /// Returns how many were found, or a reason when a worker could not be asked.
    /// </summary>
    internal (int Found, string Reason) End(Func<string, string, bool> mustEnd, Instant deadline)
    {
        var answer = master.Ask(["show proc"], deadline);
        if (answer is RuntimeAnswer.Failed failed)
        {
            return (0, failed.Reason);
        }

        var found = 0;
        var reason = "";
        foreach (var pid in OldPids(((RuntimeAnswer.Blocks)answer).Texts.FirstOrDefault("")))
        {
            var (ended, problem) = EndIn(pid, mustEnd, deadline);
            found += ended;
            reason = problem.Length > 0 ? problem : reason;
        }

        return (found, reason);
    }

    private (int Found, string Reason) EndIn(int pid, Func<string, string, bool> mustEnd, Instant deadline)
    {
        var answer = master.Ask([$"@!{pid} show sess"], deadline, LargestListing);
        if (answer is RuntimeAnswer.Failed failed)
        {
            // A worker that ended between the two questions has no sessions left; the master then closes without an empty line.
            return failed.Reason.Contains("Can't find the target PID", StringComparison.Ordinal) ? (0, "") : (0, failed.Reason);
        }

        var sessions = ((RuntimeAnswer.Blocks)answer).Texts
            .SelectMany(block => Sessions(block, mustEnd))
            .Select(id => $"@!{pid} shutdown session {id}")
            .ToArray();
        foreach (var batch in sessions.Chunk(100))
        {
            if (master.Ask(batch, deadline) is RuntimeAnswer.Failed refused)
            {
                return (sessions.Length, refused.Reason);
            }
        }

        return (sessions.Length, "");
    }

    /// <summary>The process ids in the part headed <c># old workers</c>. Internal for tests.</summary>
    internal static IEnumerable<int> OldPids(string processes)
    {
        var isOld = false;
        var count = 0;
        foreach (var line in processes.Split('\n'))
        {
            if (line.StartsWith('#'))
            {
                isOld = line.StartsWith("# old workers", StringComparison.Ordinal);
            }
            else if (isOld && count < MostWorkers
                && line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries) is [var first, "worker", ..]
                && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                count++;
                yield return pid;
            }
        }
    }

    /// <summary>Identifiers of the matching lines of <c>show sess</c>: <c>0x55d1…: proto=tcpv4 … be=B srv=S …</c>. Internal for tests.</summary>
    internal static IEnumerable<string> Sessions(string listing, Func<string, string, bool> mustEnd)
    {
        foreach (var line in listing.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon is > 2 and < 24 && line.StartsWith("0x", StringComparison.Ordinal)
                && !line.AsSpan(2, colon - 2).ContainsAnyExcept(HexDigits)
                && Value(line, " be=") is { } backend && Value(line, " srv=") is { } server && mustEnd(backend, server))
            {
                yield return line[..colon];
            }
        }
    }

    private static string? Value(string line, string key)
    {
        var at = line.IndexOf(key, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        var from = at + key.Length;
        var end = line.IndexOf(' ', from);
        return end < 0 ? line[from..] : line[from..end];
    }
}
