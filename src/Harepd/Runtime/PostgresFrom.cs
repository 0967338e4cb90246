using Harepd.Config;
using Harepd.Postgres;
using Harepd.Postgres.Hba;

namespace Harepd.Runtime;

/// <summary>From the configuration of a data node to what the Postgres room needs of it.</summary>
internal static class PostgresFrom
{
    /// <exception cref="InvalidOperationException">The node has no PostgreSQL; a data node's configuration always has one.</exception>
    public static PostgresSettings Settings(HarepdConfig config)
    {
        var postgres = config.Postgres ?? throw new InvalidOperationException("this node has no PostgreSQL");
        return new PostgresSettings
        {
            Host = postgres.SocketDir,
            Port = postgres.Port,
            User = postgres.User,
            Database = postgres.Database,
            Password = postgres.Password?.Value,
            PassFile = postgres.PassFile,
            DataDirectory = postgres.DataDirectory,
            HbaPath = config.HbaConfig ?? throw new InvalidOperationException("this node has no pg_hba.conf"),
            HangTimeout = postgres.HangTimeout,
            CalmInterval = postgres.PollInterval,
            AlarmedInterval = postgres.AlarmedPollInterval,
            WriteProbeInterval = postgres.WriteProbeInterval,
        };
    }

    /// <summary>What the managed block has to say. Exempt from a fence: repmgr's user, harepd's own and the listed exceptions.</summary>
    public static HbaPolicy Policy(HarepdConfig config) => new()
    {
        NodeName = config.NodeName,
        HaproxyServers = [.. config.Haproxy.Server.Select(network => network.ToString())],
        ReadWriteUser = config.Haproxy.Users.ReadWrite ?? throw new InvalidOperationException("this node has no read-write user"),
        ReadOnlyUser = config.Haproxy.Users.ReadOnly,
        AllowMethod = config.AuthModes.Allow,
        DenyMethod = config.AuthModes.Deny,
        Scope = config.Fence.Scope == Config.FenceScope.Checks ? Postgres.Hba.FenceScope.Checks : Postgres.Hba.FenceScope.Clients,
        ExemptUsers = [.. new[] { config.Repmgr?.User, config.Postgres?.User }.OfType<string>().Concat(config.Fence.Exceptions).Distinct(StringComparer.Ordinal)],
    };
}
