using Harepd.Core.Decide;
using Harepd.Core.Model;

namespace Harepd.Core.Tests.Explorer;

/// <summary>
/// One rule broken, by a wrapper around the product's functions or by a step that the rules forbid; the product itself has no switches.
/// The plain one breaks nothing.
/// </summary>
internal class Flaw
{
    public static readonly Flaw None = new();

    public string Name { get; init; } = "none";

    /// <summary>The shortest trace that the design's own checker found; 0 where the mutation survives alone.</summary>
    public int KnownTrace { get; init; }

    /// <summary>Bounds within which it shows.</summary>
    public Bounds Bounds { get; init; } = new();

    /// <summary>The candidate counts its own voter without having asked it.</summary>
    public bool CountsItself { get; init; }

    /// <summary>One voter's Accepted counts twice.</summary>
    public bool CountsAcceptedTwice { get; init; }

    /// <summary>One voter's Promised counts twice.</summary>
    public bool CountsPromisedTwice { get; init; }

    /// <summary>Accepted replies of older ballots of the same candidate count.</summary>
    public bool CountsOldAccepted { get; init; }

    /// <summary>Units that are missing from Q.</summary>
    public int AbstainsLess { get; init; }

    /// <summary>The resume file of a voter is written some time after the answer left.</summary>
    public bool SavesLate { get; init; }

    /// <summary>The resume file of a voter does not hold until when it abstains.</summary>
    public bool ForgetsAbstention { get; init; }

    /// <summary>The release leaves when the lease is given up, not when the gate is shut.</summary>
    public bool ReleasesBeforeFence { get; init; }

    /// <summary>A renewal that did not succeed is released, the lease kept.</summary>
    public bool ReleasesFailedRenewal { get; init; }

    /// <summary>The resume file of a candidate still names it holder after the release.</summary>
    public bool ResumesReleased { get; init; }

    /// <summary>A holder learns of the end of its lease from a timer, and nothing else shuts the gate.</summary>
    public bool ExpiresByTimer { get; init; }

    /// <summary>The gate is opened by an effect that may be executed at any later time.</summary>
    public bool OpensLate { get; init; }

    /// <summary>An attempt is sent again under its ballot with its clock started anew.</summary>
    public bool RestartsTimer { get; init; }

    /// <summary>A renewal is the acquiring Accept sent again.</summary>
    public bool RenewsWithSameBallot { get; init; }

    /// <summary>A renewal may be for a shorter time than what was granted before (a setting changed over a resumed restart).</summary>
    public bool HasShortRenewals { get; init; }

    /// <summary>A voter's record may end one unit late.</summary>
    public bool VotersAreLate { get; init; }

    /// <summary>A voter forgets its promise when a lease ends.</summary>
    public bool ForgetsPromise { get; init; }

    /// <summary>The names of the voters matter, so states may not be folded by their symmetry.</summary>
    public bool BreaksSymmetry => CountsItself;

    /// <summary>A candidate does not notice at once that something is over; the product does so before anything else, so it need not wait.</summary>
    public bool IsLazy { get; init; }

    /// <summary>Which ballot a lease is held by matters.</summary>
    public bool NeedsHeldBallot => RenewsWithSameBallot;

    /// <summary>Ballots below the highest seen are not refused, so what was released below it matters.</summary>
    public bool HasNoFloor { get; init; }

    public virtual VoterStep Vote(VoterState state, LeaseRequest request, Bounds bounds) =>
        Voter.Handle(state, request, Bounds.Members[0], bounds.Membership, bounds.Settings, Bounds.Base);

    public virtual LeaseStep Tick(LeaseState state, LeaseRules rules, Candidacy? candidacy) =>
        LeaseMachine.Tick(state, rules, candidacy, Bounds.Base);

    public virtual LeaseStep Reply(LeaseState state, LeaseRules rules, Candidacy candidacy, LeaseReply reply) =>
        LeaseMachine.OnReply(state, rules, candidacy, reply, Bounds.Base);

    public virtual LeaseStep GiveUp(LeaseState state) => LeaseMachine.GiveUp(state, "the explorer says so");
}
