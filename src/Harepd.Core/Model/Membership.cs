using System.Collections.Immutable;
using System.Text;

namespace Harepd.Core.Model;

/// <summary>
/// The voting set (R10): an epoch, its members, and the members of the epoch before while a change is being rolled out.
/// Votes pass only between processes whose <see cref="Stamp"/> is identical; comparing sets "up to one member" is unsafe.
/// </summary>
public sealed record Membership
{
    /// <summary>The most members a set may have; more would only slow the vote.</summary>
    public const int MaxMembers = 15;

    /// <exception cref="ArgumentException">The set is empty or over <see cref="MaxMembers"/>, or the epoch is below 1.</exception>
    public Membership(string cluster, long epoch, IEnumerable<MemberId> members, IEnumerable<MemberId>? previous = null)
    {
        Members = [.. members];
        Previous = previous is null ? [] : [.. previous];
        if (epoch < 1 || Members.Count is 0 or > MaxMembers || Previous.Count > MaxMembers)
        {
            throw new ArgumentException($"a membership needs an epoch of at least 1 and 1 to {MaxMembers} members", nameof(members));
        }

        Stamp = new MembershipStamp(cluster, epoch, HashOf(cluster, epoch, Members, Previous));
        Everyone = Members.Union(Previous);
    }

    /// <summary>The members that vote now.</summary>
    public ImmutableSortedSet<MemberId> Members { get; }

    /// <summary>The members of the epoch before; empty when no change is under way. A lease needs a majority of both.</summary>
    public ImmutableSortedSet<MemberId> Previous { get; }

    /// <summary>Members of either set: whom a candidate asks.</summary>
    public ImmutableSortedSet<MemberId> Everyone { get; }

    /// <summary>What both ends of a vote must agree on to the bit.</summary>
    public MembershipStamp Stamp { get; }

    /// <summary>True when the distinct members in <paramref name="voters"/> are a strict majority of every set (R5, R10).</summary>
    public bool IsMajority(IReadOnlySet<MemberId> voters) =>
        IsMajorityOf(Members, voters) && (Previous.IsEmpty || IsMajorityOf(Previous, voters));

    /// <summary>True when so many have refused that the rest cannot be a majority any more.</summary>
    public bool IsLost(IReadOnlySet<MemberId> refused) =>
        CannotWin(Members, refused) || (!Previous.IsEmpty && CannotWin(Previous, refused));

    /// <summary>The rank of a member among its peers, 0 for the first; used for small, stable offsets.</summary>
    public int RankOf(MemberId member) => Math.Max(0, Everyone.IndexOf(member));

    private static bool IsMajorityOf(ImmutableSortedSet<MemberId> set, IReadOnlySet<MemberId> voters) =>
        set.Count(voters.Contains) * 2 > set.Count;

    private static bool CannotWin(ImmutableSortedSet<MemberId> set, IReadOnlySet<MemberId> refused) =>
        (set.Count - set.Count(refused.Contains)) * 2 <= set.Count;

    private static ulong HashOf(string cluster, long epoch, IEnumerable<MemberId> members, IEnumerable<MemberId> previous)
    {
        var text = $"{cluster}\n{epoch}\n{string.Join('\n', members)}\n--\n{string.Join('\n', previous)}";
        var hash = 14695981039346656037UL;
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            hash = unchecked((hash ^ octet) * 1099511628211UL);
        }

        return hash;
    }
}

/// <summary>Cluster name, epoch and hash of a membership: travels with every vote, compared for equality only (R10).</summary>
public readonly record struct MembershipStamp(string Cluster, long Epoch, ulong Hash)
{
    public override string ToString() => $"{Cluster}/{Epoch}/{Hash:x16}";
}
