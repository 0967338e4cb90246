namespace Harepd.Core.Model;

/// <summary>
/// A member's name in the voting set: its advertised <c>host:port</c>, letter for letter as the configuration gives it (R10).
/// Ordered ordinally, so that every member ranks the set alike.
/// </summary>
public readonly record struct MemberId(string Address) : IComparable<MemberId>
{
    public int CompareTo(MemberId other) => string.CompareOrdinal(Address, other.Address);

    public override string ToString() => Address ?? "";
}

/// <summary>Random 64-bit identity of one run of the daemon; two runs never share one (R2). Zero is no incarnation.</summary>
public readonly record struct Incarnation(ulong Value) : IComparable<Incarnation>
{
    public int CompareTo(Incarnation other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Who may hold a lease: a member together with its incarnation. A restarted daemon is another owner (R2, R7).</summary>
public readonly record struct LeaseOwner(MemberId Member, Incarnation Incarnation)
{
    public override string ToString() => $"{Member}/{Incarnation}";
}

/// <summary>
/// Orders the attempts to get or renew a lease: by round, then member, then incarnation. Fresh for each attempt, never reused.
/// The default value is below every real ballot.
/// </summary>
public readonly record struct Ballot(long Round, MemberId Member, Incarnation Incarnation) : IComparable<Ballot>
{
    /// <summary>Nobody's ballot, below every real one of the term's round: what is known of a term when nothing else is.</summary>
    public static Ballot OfTerm(Term term) => term == Term.None ? default : new(term.Value, new MemberId(""), default);

    /// <summary>The owner that this ballot proposes.</summary>
    public LeaseOwner Owner => new(Member, Incarnation);

    public int CompareTo(Ballot other)
    {
        var byRound = Round.CompareTo(other.Round);
        if (byRound != 0)
        {
            return byRound;
        }

        var byMember = Member.CompareTo(other.Member);
        return byMember != 0 ? byMember : Incarnation.CompareTo(other.Incarnation);
    }

    public static bool operator <(Ballot left, Ballot right) => left.CompareTo(right) < 0;

    public static bool operator >(Ballot left, Ballot right) => left.CompareTo(right) > 0;

    public static bool operator <=(Ballot left, Ballot right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Ballot left, Ballot right) => left.CompareTo(right) >= 0;

    /// <summary>The higher of two ballots.</summary>
    public static Ballot Max(Ballot left, Ballot right) => left >= right ? left : right;

    public override string ToString() => $"{Round}@{Member}";
}

/// <summary>Numbers acquired leases: the round of the acquiring ballot. Grows, and is stamped on every effect (R11). Zero is no term.</summary>
public readonly record struct Term(long Value) : IComparable<Term>
{
    public static readonly Term None;

    public int CompareTo(Term other) => Value.CompareTo(other.Value);

    public static bool operator <(Term left, Term right) => left.Value < right.Value;

    public static bool operator >(Term left, Term right) => left.Value > right.Value;

    public static bool operator <=(Term left, Term right) => left.Value <= right.Value;

    public static bool operator >=(Term left, Term right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
