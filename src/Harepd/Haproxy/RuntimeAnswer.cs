using System.Collections.Immutable;

namespace Harepd.Haproxy;

/// <summary>What came back from a command socket.</summary>
internal abstract record RuntimeAnswer
{
    private RuntimeAnswer()
    {
    }

    /// <summary>
    /// The whole reply arrived. HAProxy ends each command's output with an empty line, so an empty block is success and text
    /// is data or an error (management guide, 9.3).
    /// </summary>
    internal sealed record Blocks(ImmutableArray<string> Texts) : RuntimeAnswer;

    /// <summary>No usable reply; whether the commands were carried out is unknown unless the fault is <see cref="RuntimeFault.Unreachable"/>.</summary>
    internal sealed record Failed(RuntimeFault Fault, string Reason) : RuntimeAnswer;
}

/// <summary>How a command socket failed.</summary>
internal enum RuntimeFault
{
    /// <summary>No connection: nothing was sent.</summary>
    Unreachable,

    /// <summary>The deadline passed before the reply was whole.</summary>
    Silent,

    /// <summary>The connection ended before the reply was whole.</summary>
    CutShort,

    /// <summary>The reply is larger than the bound.</summary>
    TooLong,
}
