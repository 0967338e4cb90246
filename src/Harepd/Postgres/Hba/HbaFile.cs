using Harepd.Core.Model;

namespace Harepd.Postgres.Hba;

/// <summary>What the managed block on disk says.</summary>
/// <param name="Gate">What it opens; <see cref="Gate.Fenced"/> where the block is damaged or names another node, which is to be rewritten.</param>
/// <param name="Term">The term it was written under; none where it is damaged or another node's.</param>
/// <param name="IsForeign">It names another node: a clone or pg_rewind brought it here.</param>
internal readonly record struct HbaOnDisk(Gate Gate, Term Term, bool IsForeign);

/// <summary>A new content for pg_hba.conf.</summary>
/// <param name="Bytes">The whole file.</param>
/// <param name="Changed">False when it is what stands there already.</param>
/// <param name="TakenOver">Lines of the Go daemon that the block takes the place of, as they stood.</param>
/// <param name="Notes">What an operator should know of this file, a sentence each.</param>
internal sealed record HbaEdit(byte[] Bytes, bool Changed, IReadOnlyList<string> TakenOver, IReadOnlyList<string> Notes);

/// <summary>
/// A pg_hba.conf, split into the managed block and everything else; everything else comes back byte for byte. Pure. Half blocks, doubled blocks and stray lines of ours are mended.
/// </summary>
internal sealed class HbaFile
{
    private readonly string _text;
    private readonly HbaMarker? _marker;
    private readonly bool _hasBlock;

    private HbaFile(string text, string outside, bool hasBlock, HbaMarker? marker, bool isDamaged)
    {
        _text = text;
        _marker = marker;
        _hasBlock = hasBlock;
        Outside = outside;
        IsDamaged = isDamaged;
    }

    /// <summary>Everything outside the block, one char per byte.</summary>
    public string Outside { get; }

    /// <summary>Markers were missing or doubled, or lines of ours lay outside them.</summary>
    public bool IsDamaged { get; }

    /// <summary>Reads a file. Any bytes are a file; nothing is refused.</summary>
    public static HbaFile Parse(ReadOnlySpan<byte> bytes)
    {
        var text = HbaText.FromBytes(bytes);
        var cut = HbaBlockCut.Of(text);
        return new HbaFile(text, cut.Outside, cut.HasBlock, cut.Marker, cut.IsDamaged);
    }

    /// <summary>What the block on disk opens and since which term; null when there is none. A block that is damaged or another node's counts as closed.</summary>
    public HbaOnDisk? ReadGate(string nodeName)
    {
        if (!_hasBlock)
        {
            return null;
        }

        var isForeign = _marker is not null && _marker.NodeName != nodeName;
        return _marker is null || isForeign
            ? new HbaOnDisk(Gate.Fenced, Term.None, isForeign)
            : new HbaOnDisk(_marker.Gate, _marker.Term, IsForeign: false);
    }

    /// <summary>
    /// This file with the block for <paramref name="gate"/> and <paramref name="term"/> at its top, and with the Go daemon's lines for the
    /// same users and addresses taken out, since the block says the same.
    /// </summary>
    /// <param name="policy">What the block has to say.</param>
    /// <param name="gate">What clients may do.</param>
    /// <param name="term">Stamped on the block.</param>
    /// <param name="folder">The folder of the file, for names relative to it.</param>
    /// <param name="source">Reads files that this one refers to.</param>
    /// <param name="takeOver">False leaves the Go daemon's lines where they are: they are shadowed by the block.</param>
    public HbaEdit WithBlock(HbaPolicy policy, Gate gate, Term term, string folder, IHbaSource source, bool takeOver = true)
    {
        var (outside, taken) = takeOver ? GoDaemonLines.TakeOut(Outside, policy) : (Outside, []);
        IReadOnlyList<string> rules = [];
        IReadOnlyList<string> notes = [];
        if (HbaBlock.RejectsClients(policy, gate))
        {
            (rules, notes) = new HbaExemption(policy.ExemptUsers, source).Narrow(outside, folder);
        }

        var text = HbaBlock.Render(policy, gate, term, rules) + outside;
        var changed = text != _text;
        return new HbaEdit(HbaText.ToBytes(text), changed, taken, notes);
    }
}
