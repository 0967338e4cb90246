using Harepd.Core.Act;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Tests.Transcripts;

namespace Harepd.Core.Tests.Simulation;

/// <summary>Puts inputs and effects into one line for a person who reads a failing run.</summary>
internal static class Words
{
    public static string Of(object what) => what switch
    {
        Input.Observed observed => $"< sees {Narrator.Describe(observed.Server)}, begun {At(observed.Server.At)}",
        Input.VoteAsked asked => $"< asked by {asked.Request.Ballot.Member}: {Narrator.Describe(asked.Request)}",
        Input.VoteAnswered answered => $"< {answered.Reply.Voter}: {Narrator.Describe(answered.Reply)}",
        Input.GateApplied applied => $"< gate #{applied.Sequence} is {applied.Gate}{(applied.IsConfirmed ? "" : ", not confirmed")}: {applied.Detail}",
        Input input => $"< {input}",
        Effect.ArmWatchdog arm => $"> arm term {arm.Term} fence {At(arm.FenceAt)} deadline {At(arm.Deadline)}",
        Effect.CloseGate close => $"> close gate #{close.Sequence} to {close.To}, term {close.Term}{(close.BeginsStop ? ", a shutdown begins" : "")}: {close.Reason}",
        Effect.OpenGate open => $"> open gate #{open.Sequence} to {open.To}, term {open.Term}, not after {At(open.NotAfter)}",
        Effect.VerifyGate verify => $"> verify gate #{verify.Sequence} is {verify.Expected}",
        Effect.Ask ask => $"> ask {ask.To}: {Narrator.Describe(ask.Request)}",
        Effect.Answer answer => $"> answer {Narrator.Describe(answer.Reply)}",
        Effect.Record record => $"> note {record.Decision.Kind}: {record.Decision.Reason}",
        Effect.Steer steer => $"> steer {steer.Route}",
        Effect.SaveTimeline save => $"> save timeline {save.Timeline.Point}",
        _ => what.ToString() ?? "",
    };

    private static string At(Instant at) => at == Instant.Forever ? "ever" : at.ToString();
}
