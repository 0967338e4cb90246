using Harepd.Config;
using Harepd.Core.Model;
using Harepd.Postgres;
using Harepd.Postgres.Fencing;
using Harepd.Postgres.Hba;

namespace Harepd.Runtime;

/// <summary>The gate of a real server: the managed block of pg_hba.conf, and the fence behind it.</summary>
/// <param name="hba">The managed block.</param>
/// <param name="strict">The fence that ends with the postmaster's stop when it must: for a server that takes or took writes.</param>
/// <param name="lenient">The same without that: a standby is never stopped for its gate.</param>
internal sealed class PostgresDoor(HbaGate hba, Fencer strict, Fencer lenient) : IGateDoor
{
    public GateOutcome Set(Gate to, Term term, Instant notAfter) => Outcome(hba.Apply(to, term, notAfter, Files.Durability.Durable));

    public GateOutcome Open(Gate to, Term term, Instant notAfter) => Outcome(hba.Apply(to, term, notAfter, Files.Durability.Whole));

    public void Flush() => _ = hba.Flush();

    public GateOutcome Fence(Term term, Instant finishBy, bool mayStop, string reason, bool beginsStop = false)
    {
        var result = (mayStop ? strict : lenient).Fence(term, finishBy, reason, beginsStop);
        return new GateOutcome(Gate.Fenced, result.IsConfirmed, Describe(result));
    }

    /// <summary>What the block on disk says; read-write when in doubt, for then it must be shut first.</summary>
    public (Gate Gate, Term Term) ReadBlock() => hba.Inspect() switch
    {
        { Error.Length: > 0 } => (Gate.ReadWrite, Term.None),
        { OnDisk: { } block } => (block.Gate, block.Term),
        _ => (Gate.ReadWrite, Term.None),
    };

    /// <summary>What the block has to say, from the configuration.</summary>
    public static HbaPolicy PolicyOf(HarepdConfig config) => new()
    {
        NodeName = config.NodeName,
        HaproxyServers = [.. config.Haproxy.Server.Select(TextOf)],
        ReadWriteUser = config.Haproxy.Users.ReadWrite ?? "",
        ReadOnlyUser = config.Haproxy.Users.ReadOnly,
        AllowMethod = config.AuthModes.Allow,
        DenyMethod = config.AuthModes.Deny,
        Scope = config.Fence.Scope == Config.FenceScope.Checks ? Postgres.Hba.FenceScope.Checks : Postgres.Hba.FenceScope.Clients,
        ExemptUsers = [.. ExemptUsersOf(config)],
    };

    /// <summary>How the local server is reached, from the configuration.</summary>
    public static PostgresSettings SettingsOf(HarepdConfig config)
    {
        var postgres = config.Postgres!;
        return new PostgresSettings
        {
            Host = postgres.SocketDir,
            Port = postgres.Port,
            User = postgres.User,
            Database = postgres.Database,
            Password = postgres.Password?.Value,
            PassFile = postgres.PassFile,
            DataDirectory = postgres.DataDirectory,
            FolderNote = Path.Combine(config.StateDir, "data-folder"),
            BinDirectory = postgres.BinDirectory,
            StartCommand = postgres.StartCommand,
            ReplicationUser = postgres.ReplicationUser ?? config.Repmgr?.User ?? postgres.User,
            ReplicationDatabase = config.Repmgr?.Db ?? postgres.Database,
            NodeName = config.NodeName,
            HbaPath = config.HbaConfig!,
            HangTimeout = postgres.HangTimeout,
            CalmInterval = postgres.PollInterval,
            AlarmedInterval = postgres.AlarmedPollInterval,
            WriteProbeInterval = postgres.WriteProbeInterval,
        };
    }

    /// <summary>harepd's own user is not among them: it comes by the unix socket, which a fence leaves alone, and is often the superuser.</summary>
    private static IEnumerable<string> ExemptUsersOf(HarepdConfig config) =>
        new[] { config.Repmgr?.User }.OfType<string>().Concat(config.Fence.Exceptions).Distinct();

    private static string TextOf(System.Net.IPNetwork network) =>
        network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8 ? network.BaseAddress.ToString() : network.ToString();

    private static string Describe(FenceResult result)
    {
        var stop = result.Stop == PostmasterStop.None ? "" : $"; postmaster: {result.Stop}";
        var left = result.SessionsLeft == 0 ? "" : $", {result.SessionsLeft} left";
        return $"{result.Detail}; {result.SessionsEnded} sessions ended{left} in {result.Took.TotalMilliseconds:F1} ms{stop}";
    }

    private static GateOutcome Outcome(HbaResult result) => new(
        result.Gate,
        result.IsDone && result.IsConfirmed,
        string.Join("; ", new[] { result.Outcome.ToString(), result.Reason }.Concat(result.Notes).Where(text => text.Length > 0)));
}
