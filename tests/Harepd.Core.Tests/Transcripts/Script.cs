using System.Globalization;
using System.Text;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Tests.Transcripts;

/// <summary>
/// Plays a transcript: lines that begin with <c>&gt;</c> are commands, lines that begin with <c>#</c> are for people, everything else
/// is what the commands gave and is written anew. The commands are listed in docs/TESTING.md.
/// </summary>
internal sealed class Script
{
    private readonly Narrator _narrator = new();
    private readonly Stage _stage;

    private Script() => _stage = new Stage(_narrator);

    /// <summary>The transcript as it is now.</summary>
    public static string Play(string text)
    {
        var script = new Script();
        var played = new StringBuilder();
        foreach (var line in text.Split('\n').Where(line => line.Length == 0 || line[0] is '#' or '>'))
        {
            if (line.Length == 0)
            {
                continue;
            }

            if (line[0] == '#')
            {
                played.Append(played.Length > 0 && played[^2] != '#' && !EndsWithComment(played) ? "\n" : "").Append(line).Append('\n');
                continue;
            }

            played.Append(line).Append('\n');
            script.Do(line[1..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
            played.Append(script._narrator.Take());
        }

        return played.ToString();
    }

    private static bool EndsWithComment(StringBuilder text)
    {
        var lines = text.ToString().TrimEnd('\n').Split('\n');
        return lines[^1].StartsWith('#');
    }

    private void Do(string[] words)
    {
        switch (words)
        {
            case ["cluster", .. var names]:
                _stage.Gather([.. names.Except(["reads", "managed", "advised", "rejoins", "careful", "hooked", "lossless"])], names.Contains("reads"), PolicyOf(names), names.Contains("hooked"));
                break;
            case ["brief"]:
                _narrator.IsDetailed = false;
                break;
            case ["full"]:
                _narrator.IsDetailed = true;
                break;
            case ["deliver"]:
                _stage.Deliver();
                break;
            case ["lose"]:
                _stage.Lose();
                break;
            case ["wait", var span]:
                _stage.Wait(Span(span), isEasy: false);
                break;
            case ["run", var span]:
                _stage.Wait(Span(span), isEasy: true);
                break;
            case ["cut", var left, var right]:
                _stage.Cut(left, right, isCut: true);
                break;
            case ["heal", var left, var right]:
                _stage.Cut(left, right, isCut: false);
                break;
            case [var name, .. var rest]:
                Do(name, rest);
                break;
            default:
                throw new FormatException("an empty command");
        }
    }

    private void Do(string name, string[] words)
    {
        switch (words)
        {
            case ["start", .. var options]:
                _stage.Start(name, options.Contains("resume"), options.Contains("shut") ? Gate.Fenced : Gate.ReadWrite);
                break;
            case ["crash"]:
                _stage.Crash(name);
                break;
            case ["stop"]:
                _stage.Stop(name);
                break;
            case ["postmaster-dies"]:
                _stage.PostmasterDies(name);
                break;
            case ["watchdog"]:
                _stage.FireWatchdog(name);
                break;
            case ["gate", "done"]:
                _stage.AnswerGate(name, isDone: true);
                break;
            case ["gate", "fails"]:
                _stage.AnswerGate(name, isDone: false);
                break;
            case ["timeline", "saved"]:
                _stage.SaveTimeline(name);
                break;
            case ["primary", "waiting", var count, var names, "having", var streaming, .. var timeline]:
                _stage.Observe(name, Samples.Waiting(_stage.Now, int.Parse(count, CultureInfo.InvariantCulture), names.Split(','), streaming == "nobody" ? [] : streaming.Split(',')) with { Timeline = Timeline(timeline) });
                break;
            case ["synchronized"]:
                _stage.AnswerSynchronize(name, isDone: true);
                break;
            case ["synchronized", "fails"]:
                _stage.AnswerSynchronize(name, isDone: false);
                break;
            case ["primary", .. var timeline]:
                _stage.Observe(name, Samples.Primary(_stage.Now, Timeline(timeline)));
                break;
            case ["standby", "at", var position, .. var timeline]:
                _stage.Observe(name, Samples.Standby(_stage.Now, Timeline(timeline)) with { WriteLsn = At(position), ReplayLsn = At(position) });
                break;
            case ["standby", "streaming", var from, .. var timeline]:
                _stage.Observe(name, Samples.Standby(_stage.Now, Timeline(timeline)) with { IsStreaming = true, UpstreamHost = from, UpstreamSilence = TimeSpan.Zero });
                break;
            case ["move", "after", var span]:
                _stage.OrderLater(name, Span(span));
                break;
            case ["move", .. var options]:
                _stage.Order(name, options.FirstOrDefault(option => option != "dry") ?? "", options.Contains("dry"));
                break;
            case ["restart", "after", var span]:
                _stage.OrderLater(name, Span(span), isRestart: true);
                break;
            case ["restart"]:
                _stage.Restart(name);
                break;
            case ["takeover", .. var options]:
                _stage.TakeOver(name, options.Contains("accept"), options.Contains("dry"));
                break;
            case ["pause", var span]:
                _stage.Pause(name, Span(span));
                break;
            case ["maintain", var span, .. var options]:
                _stage.OrderLocal(name, LocalOrderKind.Maintain, Span(span), options);
                break;
            case ["end-maintenance"]:
                _stage.OrderLocal(name, LocalOrderKind.EndMaintenance, default, []);
                break;
            case ["fence", var span, .. var options]:
                _stage.OrderLocal(name, LocalOrderKind.Fence, Span(span), options);
                break;
            case ["stop-server", .. var options]:
                _stage.OrderLocal(name, LocalOrderKind.Stop, default, options);
                break;
            case ["halt", var span, .. var options]:
                _stage.OrderLocal(name, LocalOrderKind.Stop, Span(span), [.. options, "accept"]);
                break;
            case ["start-server", .. var options]:
                _stage.OrderLocal(name, LocalOrderKind.Start, default, options);
                break;
            case ["local", var outcome, .. var rest]:
                _stage.AnswerLocal(name, outcome == "done", rest is [var reached] ? At(reached) : default);
                break;
            case ["stopped-standby"]:
                _stage.Observe(name, new ServerObservation { At = _stage.Now, Health = ServerHealth.StoppedCleanly, SystemId = Samples.OneSystem, OnDisk = new DiskState(Samples.First, At("0/3000001"), IsStandby: true) });
                break;
            case ["unfence"]:
                _stage.OrderLocal(name, LocalOrderKind.Unfence, default, []);
                break;
            case ["resume"]:
                _stage.Pause(name, TimeSpan.Zero);
                break;
            case ["rejoin"]:
                _stage.OrderRejoin(name);
                break;
            case ["rejoin", var outcome]:
                _stage.AnswerRejoin(name, outcome == "done");
                break;
            case ["cancel"]:
                _stage.Cancel(name);
                break;
            case ["hold", var held]:
                _stage.AnswerHold(name, held == "done");
                break;
            case ["order", "done"]:
                _stage.AnswerOrder(name, default, isDone: true);
                break;
            case ["order", "done", var end]:
                _stage.AnswerOrder(name, At(end), isDone: true);
                break;
            case ["order", "fails"]:
                _stage.AnswerOrder(name, default, isDone: false);
                break;
            case ["promotion", "fails"]:
                _stage.FailPromotion(name);
                break;
            case ["standby", "lagging", .. var timeline]:
                _stage.Observe(name, Samples.Standby(_stage.Now, Timeline(timeline)) with { WriteLsn = new Lsn(0x9000000), ReplayDelay = TimeSpan.FromMinutes(1) });
                break;
            case ["standby", "promoting", .. var timeline]:
                _stage.Observe(name, Samples.Standby(_stage.Now, Timeline(timeline)) with { WasAskedToPromote = true });
                break;
            case ["standby", .. var timeline]:
                _stage.Observe(name, Samples.Standby(_stage.Now, Timeline(timeline)));
                break;
            case ["stopped", var end, .. var timeline]:
                _stage.Observe(name, new ServerObservation { At = _stage.Now, Health = ServerHealth.StoppedCleanly, SystemId = Samples.OneSystem, OnDisk = new DiskState(Timeline(timeline), At(end), IsStandby: false) });
                break;
            case ["crashed", .. var timeline]:
                _stage.Observe(name, new ServerObservation { At = _stage.Now, Health = ServerHealth.Down, SystemId = Samples.OneSystem, OnDisk = new DiskState(Timeline(timeline), default, IsStandby: false) });
                break;
            case [var health] when Enum.TryParse<ServerHealth>(health, ignoreCase: true, out var seen):
                _stage.Observe(name, new ServerObservation { At = _stage.Now, Health = seen });
                break;
            default:
                throw new FormatException($"unknown command: {name} {string.Join(' ', words)}");
        }
    }

    private static FailoverPolicy PolicyOf(string[] words) => new()
    {
        Promoter = words.Contains("managed") ? Promoter.Harepd : words.Contains("advised") ? Promoter.None : Promoter.Repmgr,
        RejoinsItself = words.Contains("rejoins"),
        StartsCrashed = words.Contains("starts"),
        RestartsFirst = words.Contains("restarts"),
        SynchronousOnly = words.Contains("lossless"),
        ManagesSynchrony = words.Contains("lossless"),
        WaitsForAcceptance = words.Contains("careful"),
    };

    private static TimelinePoint Timeline(string[] words) => words is [var number]
        ? new TimelinePoint(uint.Parse(number, CultureInfo.InvariantCulture), number == "1" ? default : new Lsn(0x3000148))
        : Samples.First;

    private static Lsn At(string text) => Lsn.TryParse(text, out var lsn) ? lsn : throw new FormatException($"no position: {text}");

    private static TimeSpan Span(string text) => text.EndsWith("ms", StringComparison.Ordinal)
        ? TimeSpan.FromMilliseconds(double.Parse(text[..^2], CultureInfo.InvariantCulture))
        : TimeSpan.FromSeconds(double.Parse(text[..^1], CultureInfo.InvariantCulture));
}
