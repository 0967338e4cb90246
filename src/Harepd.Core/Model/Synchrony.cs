using System.Collections.Immutable;
using System.Globalization;

namespace Harepd.Core.Model;

/// <summary>
/// What a primary waits for before it acknowledges a commit: that <see cref="Count"/> of <see cref="Names"/> have it on disk. PostgreSQL's <c>FIRST k</c> and
/// <c>ANY k</c> alike, for both promise no less (PostgreSQL manual, "synchronous_standby_names"). Names are node names in small letters, as PostgreSQL compares
/// them. Two that promise the same are equal.
/// </summary>
public sealed class Synchrony : IEquatable<Synchrony>
{
    /// <summary>The most names that one may have; more count as none.</summary>
    public const int MaxNames = 32;

    /// <summary>It waits for nobody.</summary>
    public static readonly Synchrony None = new(0, []);

    /// <summary>Nobody, unless a count of at least one and at least one name is given.</summary>
    public Synchrony(int count, IEnumerable<string> names)
    {
        var all = names.Select(Fold).ToImmutableSortedSet(StringComparer.Ordinal);
        var isNone = count < 1 || all.IsEmpty || all.Count > MaxNames;
        Count = isNone ? 0 : count;
        Names = isNone ? all.Clear() : all;
    }

    /// <summary>How many must have it; may be more than there are names, and then nothing is ever acknowledged.</summary>
    public int Count { get; }

    /// <summary>Whose word counts.</summary>
    public ImmutableSortedSet<string> Names { get; }

    /// <summary>Commits are acknowledged by the primary alone.</summary>
    public bool IsNone => Count == 0;

    /// <summary>The positions of so many of the names are enough to know the highest that was acknowledged.</summary>
    public int Enough => Math.Max(1, Names.Count - Count + 1);

    /// <summary>A name as it is compared.</summary>
    public static string Fold(string name) => name.ToLowerInvariant();

    /// <summary>True for a name, in whatever letters.</summary>
    public bool Has(string name) => Names.Contains(Fold(name));

    /// <summary>Whoever keeps this keeps the other, too: it promises nothing that this does not.</summary>
    public bool Implies(Synchrony other) => Math.Max(0, Count - Names.Except(other.Names).Count) >= other.Count;

    /// <summary>What is kept by whoever keeps either of the two.</summary>
    public static Synchrony Weaker(Synchrony left, Synchrony right) => left.Implies(right) ? right
        : right.Implies(left) ? left
        : new(Math.Min(left.Count, right.Count), left.Names.Union(right.Names));

    /// <summary>The same without a server that can never be one of them, such as the primary itself.</summary>
    public Synchrony Without(string name) => Has(name) ? new(Count, Names.Remove(Fold(name))) : this;

    /// <summary>The same promise.</summary>
    public bool Equals(Synchrony? other) => other is not null && Count == other.Count && Names.SetEquals(other.Names);

    public override bool Equals(object? obj) => Equals(obj as Synchrony);

    public override int GetHashCode() => HashCode.Combine(Count, Names.Count, Names.IsEmpty ? "" : Names[0]);

    public override string ToString() => IsNone ? "nobody" : string.Create(CultureInfo.InvariantCulture, $"{Count} of {string.Join(", ", Names)}");
}
