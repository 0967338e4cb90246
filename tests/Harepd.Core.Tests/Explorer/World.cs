namespace Harepd.Core.Tests.Explorer;

/// <summary>
/// One state of the whole: three voters, the candidates, every message ever sent and the yeses to the attempts in flight, in 32 bytes.
/// A message once sent may arrive never, late, often and in any order; a yes may be read at any time while its attempt is in flight.
/// </summary>
internal struct World : IEquatable<World>, IComparable<World>
{
    // Voters: 3 × 16 bits, then how often voters and candidates were restarted.
    public ulong Voters;

    // Candidates: 3 × 16 bits, then for each ballot whether its Prepare was sent and whether its Accept is a short one.
    public ulong Candidates;

    // Ballots: 5 × 12 bits: owner + 1, incarnation, Accept sent, Release sent, who promised, who accepted.
    public ulong Ballots;

    // The resume files of the voters, 3 × 16 bits; only where they are the flaw.
    public ulong Files;

    public readonly int Voter(int i) => (int)(Voters >> (16 * i) & 0xFFFF);

    public readonly int Candidate(int i) => (int)(Candidates >> (16 * i) & 0xFFFF);

    public readonly int File(int i) => (int)(Files >> (16 * i) & 0xFFFF);

    public void SetVoter(int i, int id) => Voters = Put(Voters, 16 * i, 0xFFFF, id);

    public void SetCandidate(int i, int id) => Candidates = Put(Candidates, 16 * i, 0xFFFF, id);

    public void SetFile(int i, int id) => Files = Put(Files, 16 * i, 0xFFFF, id);

    public int VoterRestarts
    {
        readonly get => (int)(Voters >> 48 & 0xF);
        set => Voters = Put(Voters, 48, 0xF, value);
    }

    public int CandidateRestarts
    {
        readonly get => (int)(Voters >> 52 & 0xF);
        set => Voters = Put(Voters, 52, 0xF, value);
    }

    public readonly bool IsPrepareSent(int round) => (Candidates >> (47 + round) & 1) == 1;

    public void SendPrepare(int round) => Candidates |= 1UL << (47 + round);

    public readonly bool IsShort(int round) => (Candidates >> (52 + round) & 1) == 1;

    public void MakeShort(int round) => Candidates |= 1UL << (52 + round);

    private static int At(int round) => 12 * (round - 1);

    /// <summary>The candidate whose ballot this is, −1 when nobody's yet.</summary>
    public readonly int Owner(int round) => (int)(Ballots >> At(round) & 3) - 1;

    public readonly int Incarnation(int round) => (int)(Ballots >> (At(round) + 2) & 3);

    public void Claim(int round, int owner, int incarnation)
    {
        Ballots = Put(Ballots, At(round), 3, owner + 1);
        Ballots = Put(Ballots, At(round) + 2, 3, incarnation);
    }

    public readonly bool IsAcceptSent(int round) => (Ballots >> (At(round) + 4) & 1) == 1;

    public void SendAccept(int round) => Ballots |= 1UL << (At(round) + 4);

    public readonly bool IsReleaseSent(int round) => (Ballots >> (At(round) + 5) & 1) == 1;

    public void SendRelease(int round) => Ballots |= 1UL << (At(round) + 5);

    public readonly int Promised(int round) => (int)(Ballots >> (At(round) + 6) & 7);

    public void SetPromised(int round, int voters) => Ballots = Put(Ballots, At(round) + 6, 7, voters);

    public readonly int Accepted(int round) => (int)(Ballots >> (At(round) + 9) & 7);

    public void SetAccepted(int round, int voters) => Ballots = Put(Ballots, At(round) + 9, 7, voters);

    private static ulong Put(ulong word, int at, ulong mask, int value) => (word & ~(mask << at)) | ((ulong)value & mask) << at;

    public readonly bool Equals(World other) =>
        Voters == other.Voters && Candidates == other.Candidates && Ballots == other.Ballots && Files == other.Files;

    public readonly int CompareTo(World other)
    {
        var byCandidates = Candidates.CompareTo(other.Candidates);
        if (byCandidates != 0)
        {
            return byCandidates;
        }

        var byBallots = Ballots.CompareTo(other.Ballots);
        if (byBallots != 0)
        {
            return byBallots;
        }

        var byVoters = Voters.CompareTo(other.Voters);
        return byVoters != 0 ? byVoters : Files.CompareTo(other.Files);
    }

    public override readonly bool Equals(object? obj) => obj is World other && Equals(other);

    public override readonly int GetHashCode() => (int)Hash();

    public readonly ulong Hash()
    {
        var hash = Mix(Voters) + Mix(Candidates ^ 0x9E3779B97F4A7C15UL) * 3 + Mix(Ballots ^ 0xC2B2AE3D27D4EB4FUL) * 5 + Mix(Files ^ 0x165667B19E3779F9UL) * 7;
        return Mix(hash);
    }

    private static ulong Mix(ulong z)
    {
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return z ^ (z >> 31);
    }
}
