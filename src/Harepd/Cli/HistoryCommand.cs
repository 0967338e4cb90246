using System.CommandLine;
using Harepd.Config;
using Harepd.History;
using Harepd.Peers;

namespace Harepd.Cli;

/// <summary><c>harepd history -f FILE</c>: what was decided, when, by whom and why; from the files of this node, and from the other members where they are asked.</summary>
internal static class HistoryCommand
{
    private const int UsualRows = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestSince = TimeSpan.FromDays(366);

    public static Command Build(Option<string?> file, Manual manual)
    {
        var last = new Option<int>("--last") { Description = "The newest so many; default 50, 0 for all", HelpName = "N", DefaultValueFactory = _ => UsualRows };
        var since = new Option<string?>("--since") { Description = "Only what is not older, such as 24h", HelpName = "DURATION" };
        var cluster = new Option<bool>("--cluster") { Description = "Ask the other members too, by the calendars of their hosts" };
        var json = new Option<bool>("--json") { Description = "One JSON object a line instead of a table" };
        var command = new Command("history", "Show what was decided: when, by whom, why, and how long the steps took.") { last, since, cluster, json };
        manual.Add(command, """
            Reads the history in stateDir, so it answers while the daemon is down; run it as root or the daemon's user. With --cluster the
            other members are asked for their newest decisions over gRPC, with the certificates of the file. What cannot be read is said and
            left out. Exit codes: 0 done, 69 nothing could be read, 78 wrong configuration.

            Examples:
              harepd history -f /etc/harepd.yml --since 24h
              harepd history -f /etc/harepd.yml --cluster --last 200 --json
            """);
        command.SetAction(async (parsed, stop) =>
        {
            // A witness' file is as good as a data node's here.
            if (ConfigFile.Read(parsed, file, DaemonMode.ServerOnly, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            var errors = parsed.InvocationConfiguration.Error;
            var age = parsed.GetValue(since) is { } text ? Units.Duration(text, TimeSpan.FromSeconds(1), LongestSince) : Parsed<TimeSpan>.Good(LongestSince);
            if (age.Problem is { } problem || parsed.GetValue(last) < 0)
            {
                await errors.WriteLineAsync(age.Problem is null ? "--last: below zero" : $"--since: {age.Problem}; {age.Mend}");
                return ExitCodes.Usage;
            }

            var found = HistoryReader.ReadFolder(read.Config.StateDir);
            await SayAsync(found, read.Config.StateDir, errors);
            IEnumerable<HistoryLine> lines = found.Lines;
            if (parsed.GetValue(cluster))
            {
                lines = lines.Concat(await AskOthersAsync(read.Config, parsed.GetValue(last), errors, stop));
            }

            var oldest = parsed.GetValue(since) is null ? DateTime.MinValue : DateTime.UtcNow - age.Value;
            var rows = lines.Where(line => line.Time >= oldest).OrderBy(line => line.Time).ToList();
            var shown = parsed.GetValue(last) is var most and > 0 ? rows.TakeLast(most) : rows;
            HistoryText.Write([.. shown], parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return found.Problem is not null && rows.Count == 0 ? ExitCodes.Unavailable : ExitCodes.Ok;
        });
        return command;
    }

    private static async Task SayAsync(HistoryFound found, string folder, TextWriter errors)
    {
        if (found.Problem is { } problem)
        {
            await errors.WriteLineAsync($"the history in {folder} cannot be read: {problem}");
        }

        if (found.Damaged > 0)
        {
            await errors.WriteLineAsync($"{found.Damaged} lines of the history in {folder} cannot be read and are left out");
        }
    }

    private static async Task<IEnumerable<HistoryLine>> AskOthersAsync(HarepdConfig config, int last, TextWriter errors, CancellationToken stop)
    {
        var access = PeerAccess.Of(config.Grpc);
        if (access.Options is not { } options)
        {
            await errors.WriteLineAsync($"the other members cannot be asked: {access.Error}");
            return [];
        }

        var others = config.Members.Where(member => member != config.Self).ToList();
        var answers = await Task.WhenAll(others.Select(member => HistoryWire.AskAsync(member, options, last, Patience, stop)));
        foreach (var (member, answer) in others.Zip(answers).Where(pair => pair.Second.Problem is not null))
        {
            await errors.WriteLineAsync($"{member} does not tell its history: {answer.Problem}");
        }

        return answers.SelectMany(answer => answer.Lines).Select(line => HistoryLine.Read(line)).OfType<HistoryLine>();
    }
}
