namespace Harepd.Haproxy;

/// <summary>Bits of <c>srv_admin_state</c> (HAProxy management guide, <c>show servers state</c>).</summary>
[Flags]
internal enum AdminState
{
    None = 0,
    ForcedMaint = 0x01,
    InheritedMaint = 0x02,
    ConfiguredMaint = 0x04,
    ForcedDrain = 0x08,
    InheritedDrain = 0x10,
    ResolutionMaint = 0x20,
    NameSet = 0x40,
}

/// <summary><c>srv_op_state</c>: what HAProxy believes of the server's life.</summary>
internal enum OperationalState
{
    Stopped = 0,
    Starting = 1,
    Running = 2,
    Stopping = 3,
}

/// <summary>One server of one backend as HAProxy itself states it.</summary>
internal sealed record ServerRow
{
    /// <summary>While one of these is set no new client is sent to the server; "disabled" in the configuration alone does not count once it was made ready.</summary>
    private const AdminState Closing = AdminState.ForcedMaint | AdminState.InheritedMaint | AdminState.ResolutionMaint
        | AdminState.ForcedDrain | AdminState.InheritedDrain;

    private const int CheckConfigured = 0x02;
    private const int CheckEnabled = 0x04;

    public required string Backend { get; init; }

    public required string Name { get; init; }

    public required OperationalState Operational { get; init; }

    public required AdminState Admin { get; init; }

    /// <summary>Address and port as HAProxy prints them; empty when the version does not tell.</summary>
    public string Address { get; init; } = "";

    /// <summary>Weight the operator sees; 0 takes no new client. 1 where the version does not tell.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Bits of <c>srv_check_state</c>.</summary>
    public int CheckState { get; init; }

    /// <summary>Bits of <c>srv_agent_state</c>.</summary>
    public int AgentState { get; init; }

    /// <summary>Sessions now attached; -1 when not asked.</summary>
    public int Sessions { get; init; } = -1;

    /// <summary>HAProxy's word for it (<c>UP</c>, <c>MAINT</c>, <c>DOWN 1/2</c>, <c>no check</c>) and the last check's; empty when not asked.</summary>
    public string Status { get; init; } = "";

    /// <summary>Closed by command, which no check, agent answer <c>up</c> or name resolution undoes.</summary>
    public bool IsCut => Admin.HasFlag(AdminState.ForcedMaint);

    /// <summary>Nothing administrative keeps clients away.</summary>
    public bool IsOpen => (Admin & Closing) == AdminState.None;

    /// <summary>New clients are sent here.</summary>
    public bool IsServing => IsOpen && Operational is OperationalState.Running or OperationalState.Starting && Weight > 0;

    /// <summary>Held down by a running health check, which <c>set server health up</c> overrides once.</summary>
    public bool HasCheck => (CheckState & (CheckConfigured | CheckEnabled)) == (CheckConfigured | CheckEnabled);

    /// <summary>The same for an agent.</summary>
    public bool HasAgent => (AgentState & (CheckConfigured | CheckEnabled)) == (CheckConfigured | CheckEnabled);

    public override string ToString() => $"{Backend}/{Name} {(Admin == AdminState.None ? Operational : Admin)}";
}
