namespace Harepd.Postgres.Hba;

/// <summary>Whom a closed gate keeps out (DESIGN section 5).</summary>
internal enum FenceScope
{
    /// <summary>Every TCP client but the exempt users; sessions are ended too.</summary>
    Clients,

    /// <summary>Only HAProxy's check users, as the Go daemon did.</summary>
    Checks,
}

/// <summary>What the managed block of pg_hba.conf has to say, apart from gate and term. Made from the configuration, which has checked it.</summary>
internal sealed record HbaPolicy
{
    private readonly string _allowMethod = "md5";
    private readonly string _denyMethod = "reject";

    /// <summary>This node's name as in repmgr; the block carries it, so that a copy on another node is recognised.</summary>
    public required string NodeName { get; init; }

    /// <summary>Where HAProxy's checks come from: addresses, networks (<c>10.0.0.0/24</c>) or host names.</summary>
    public required IReadOnlyList<string> HaproxyServers { get; init; }

    /// <summary>The check user whose login means "writable".</summary>
    public required string ReadWriteUser { get; init; }

    /// <summary>The check user whose login means "readable"; null where read-only traffic is not steered.</summary>
    public string? ReadOnlyUser { get; init; }

    /// <summary>Method (with options) of an allowed check user.</summary>
    public string AllowMethod { get => _allowMethod; init => _allowMethod = OneLine(value, "md5"); }

    /// <summary>Method of a denied check user.</summary>
    public string DenyMethod { get => _denyMethod; init => _denyMethod = OneLine(value, "reject"); }

    public FenceScope Scope { get; init; } = FenceScope.Clients;

    /// <summary>Users that a fence of scope <see cref="FenceScope.Clients"/> lets through under the operator's own rules: repmgr's, harepd's, listed exceptions.</summary>
    public IReadOnlyList<string> ExemptUsers { get; init; } = [];

    // An empty method, a comment or a line end in it would change the meaning of every line below the block.
    private static string OneLine(string value, string whenEmpty)
    {
        if (value.AsSpan().IndexOfAny("\r\n\0#\\") >= 0)
        {
            throw new ArgumentException("An authentication method is one line without comment or backslash", nameof(value));
        }

        return string.IsNullOrWhiteSpace(value) ? whenEmpty : value.Trim();
    }
}
