namespace Harepd.Repmgr;

/// <summary>What <c>repmgr.nodes.type</c> says of a node.</summary>
internal enum RepmgrNodeType
{
    /// <summary>A word that this version does not know.</summary>
    Other = 0,
    Primary,
    Standby,
    Witness,
}

/// <summary>One row of <c>repmgr.nodes</c>.</summary>
/// <param name="Id">repmgr's node_id.</param>
/// <param name="Name">repmgr's node_name.</param>
/// <param name="Type">What repmgr believes it to be.</param>
/// <param name="IsActive">repmgr counts it as running.</param>
/// <param name="UpstreamId">The node it follows; null for none.</param>
/// <param name="ConnInfo">How libpq reaches it; may hold a password, so it never goes into a log.</param>
/// <param name="Location">repmgr's location.</param>
/// <param name="Priority">repmgr's priority; zero is never promoted.</param>
internal sealed record RepmgrNode(
    int Id, string Name, RepmgrNodeType Type, bool IsActive, int? UpstreamId, string ConnInfo, string Location, int Priority)
{
    public override string ToString() => $"{Name} ({Id}, {Type}{(IsActive ? "" : ", inactive")})";
}
