using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Core.Tests.Transcripts;

/// <summary>Writes down what happens, one line an event and one line an effect, so that a person can review it.</summary>
internal sealed class Narrator
{
    private readonly StringBuilder _text = new();

    /// <summary>False: votes, saves and reports are left out, and steps without anything else are not told.</summary>
    public bool IsDetailed { get; set; } = true;

    public string Take()
    {
        var text = _text.ToString();
        _text.Clear();
        return text;
    }

    public void Tell(Instant now, string name, string what) => _text.Append(CultureInfo.InvariantCulture, $"{Clock(now)} {name} {what}\n");

    public void Lost(Instant now, string from, string to, string text)
    {
        if (IsDetailed && text != "report")
        {
            _text.Append(CultureInfo.InvariantCulture, $"{Clock(now)} lost from {from} to {to}: {text}\n");
        }
    }

    public void Tell(Instant now, string name, string? what, ImmutableArray<Effect> effects, LeaseSettings settings)
    {
        var lines = Grouped(effects, settings).ToList();
        if (lines.Count == 0 && (!IsDetailed || what is null))
        {
            return;
        }

        Tell(now, name, what is not null && (IsDetailed || !what.StartsWith("hears from", StringComparison.Ordinal)) ? what : "");
        foreach (var line in lines)
        {
            _text.Append("            ").Append(line).Append('\n');
        }
    }

    /// <summary>One request to several members is one line.</summary>
    private IEnumerable<string> Grouped(ImmutableArray<Effect> effects, LeaseSettings settings)
    {
        for (var i = 0; i < effects.Length; i++)
        {
            if (effects[i] is Effect.Ask ask)
            {
                var names = new List<string> { ask.To.Address };
                while (i + 1 < effects.Length && effects[i + 1] is Effect.Ask next && next.Request == ask.Request)
                {
                    names.Add(next.To.Address);
                    i++;
                }

                if (IsDetailed)
                {
                    yield return $"ask {string.Join(' ', names)}: {Describe(ask.Request)}";
                }
            }
            else if (Describe(effects[i], settings) is { } line)
            {
                yield return line;
            }
        }
    }

    private string? Describe(Effect effect, LeaseSettings settings) => effect switch
    {
        Effect.ArmWatchdog { FenceAt: var fenceAt } arm when fenceAt == Instant.Zero => $"disarm, term {arm.Term}",
        Effect.ArmWatchdog arm => IsDetailed ? $"arm until {Clock(arm.FenceAt).Trim()}, deadline {Clock(arm.Deadline).Trim()}, term {arm.Term}" : null,
        Effect.CloseGate close => $"close gate #{close.Sequence} to {close.To}, term {close.Term}{(close.MayStop ? ", may stop the server" : "")}{(close.BeginsStop ? ", its shutdown begins" : "")}: {close.Reason}",
        Effect.OpenGate open => $"open gate #{open.Sequence} to {open.To}, term {open.Term}, not after {Clock(open.NotAfter).Trim()}",
        Effect.VerifyGate verify => IsDetailed ? $"verify gate #{verify.Sequence} is {verify.Expected}, term {verify.Term}" : null,
        Effect.Steer steer => $"steer write={OnOff(steer.Route.Write)} read={OnOff(steer.Route.Read)}, term {steer.Term}",
        Effect.EngageHold hold => $"hold #{hold.Sequence}, term {hold.Term}, until {Clock(hold.Until).Trim()}",
        Effect.ReleaseHold hold => $"release hold #{hold.Sequence}",
        Effect.SaveMemory save => IsDetailed ? $"save{(save.Voter is null ? "" : " voter")}{(save.Lease is null ? "" : save.Lease.Held is null ? " candidate" : " holder")}" : null,
        Effect.SaveTimeline save => IsDetailed ? $"save timeline {save.Timeline.Point}" : null,
        Effect.Answer answer => IsDetailed ? $"answer: {Describe(answer.Reply)}" : null,
        Effect.Promote promote => $"promote from timeline {promote.From}, term {promote.Term}, not after {Clock(promote.NotAfter).Trim()}",
        Effect.Follow follow => $"follow {follow.Host}:{follow.Port}, term {follow.Term}",
        Effect.ConsultHook consult => $"ask the hook about a move to {consult.To}, term {consult.Term}, until {Clock(consult.Until).Trim()}",
        Effect.Synchronize synchronize => $"let commits wait for {synchronize.Wanted}, term {synchronize.Term}",
        Effect.PrepareMove { Host: "" } prepare => $"prepare for a restart, term {prepare.Term}",
        Effect.PrepareMove prepare => $"prepare for a move to {prepare.Host}:{prepare.Port}, term {prepare.Term}",
        Effect.StopServer stop => $"stop the server, term {stop.Term}, until {Clock(stop.Until).Trim()}",
        Effect.StartServer { IsAsItWas: true } start => $"start the server as the standby it was, term {start.Term}",
        Effect.StartServer { IsShut: true } start => $"start the server as the primary it was, without a lease, term {start.Term}",
        Effect.StartServer { Host.Length: 0 } start => $"start the server as a primary, term {start.Term}",
        Effect.StartServer start => $"start the server as a standby of {start.Host}:{start.Port}, term {start.Term}",
        Effect.RejoinServer rejoin => $"make the server a standby of {rejoin.Host}:{rejoin.Port} on timeline {rejoin.Timeline}, term {rejoin.Term}",
        Effect.NotePrimary note => IsDetailed ? $"note in repmgr's tables, term {note.Term}" : null,
        Effect.TellMove { Event: var told } when told.Kind is MoveEventKind.StepBegan => null,
        Effect.TellMove { Event: var told } => $"tell #{told.OrderId} {told.Kind} {told.Subject}{(told.Detail.Length > 0 ? $": {told.Detail}" : "")}",
        Effect.Look => IsDetailed ? "look now" : null,
        Effect.GetReady => IsDetailed ? "get ready for a promotion" : null,
        Effect.SetPace pace => $"look {(pace.IsAlarmed ? "every few milliseconds" : "calmly")}",
        Effect.Record { Decision: var decision } => $"note {decision.Kind}{(decision.From.Length + decision.To.Length == 0 ? "" : $" {decision.From} → {decision.To}")}: {decision.Reason}",
        _ => null,
    };

    public static string Describe(LeaseRequest request) => request switch
    {
        LeaseRequest.Prepare => $"prepare {request.Ballot}",
        LeaseRequest.Accept { Stated: { IsNone: false } stated } accept => $"accept {request.Ballot} on {accept.Timeline}, commits are on {stated}",
        LeaseRequest.Accept accept => $"accept {request.Ballot} on {accept.Timeline}",
        _ => $"release up to {request.Ballot}",
    };

    public static string Describe(LeaseReply reply) => reply switch
    {
        LeaseReply.Refused { Holder: { } holder } refused => $"refused {reply.Ballot}: {refused.Reason} of {holder.Member}",
        LeaseReply.Refused refused => $"refused {reply.Ballot}: {refused.Reason}",
        _ => $"{reply.GetType().Name.ToLowerInvariant()} {reply.Ballot}",
    };

    public static string Describe(ServerObservation server) => server.Health != ServerHealth.Running
        ? server.Health.ToString()
        : $"a {(server.IsPromoting ? "promoting standby" : server.InRecovery == true ? "standby" : "primary")} on timeline {server.Timeline}";

    private static string OnOff(bool isOn) => isOn ? "on" : "off";

    private static string Clock(Instant at) =>
        at == Instant.Forever ? "ever" : ((at - Samples.Start).TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture) + "s").PadLeft(9);
}
