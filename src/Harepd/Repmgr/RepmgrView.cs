using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Repmgr;

/// <summary>What a look into repmgr's tables gave. Closed set.</summary>
internal abstract record RepmgrView
{
    private RepmgrView()
    {
    }

    /// <summary>The rows, by node id.</summary>
    /// <param name="Nodes">Every row, inactive ones too.</param>
    /// <param name="At">When the look was begun.</param>
    public sealed record Known(ImmutableArray<RepmgrNode> Nodes, Instant At) : RepmgrView;

    /// <summary>No rows.</summary>
    /// <param name="Cause">Why, for decisions.</param>
    /// <param name="Reason">Why, in a sentence for people; free of secrets.</param>
    public sealed record Unknown(RepmgrAbsence Cause, string Reason) : RepmgrView;
}

/// <summary>Why repmgr's tables cannot be read.</summary>
internal enum RepmgrAbsence
{
    /// <summary>The server is down, starting, hung or full.</summary>
    NoServer = 0,

    /// <summary>There is no database of that name.</summary>
    NoDatabase,

    /// <summary>The database holds no <c>repmgr.nodes</c>, or one of another shape.</summary>
    NoTables,

    /// <summary>The server refuses the user or its statement.</summary>
    Refused,
}
