using System.Net;
using Harepd.Core;

namespace Harepd.Config.Sections;

/// <summary>Reads the short groups: <c>logs</c>, <c>fence</c>, <c>http</c>, <c>reads</c>, <c>failover</c>, <c>history</c>, <c>hooks</c>.</summary>
internal static class PolicySections
{
    private const int MaxLogSeconds = 10 * 366 * 86_400;

    public static LogsConfig Logs(Section section)
    {
        var config = new LogsConfig(
            section.Value("filePath", Values.Optional(Values.AbsolutePath), null),
            section.Value("maxAge", Values.Seconds(1, MaxLogSeconds), TimeSpan.FromDays(30)),
            section.Value("rotationTime", Values.Seconds(1, MaxLogSeconds), TimeSpan.FromDays(1)));
        section.Close();
        return config;
    }

    public static FenceConfig Fence(Section section)
    {
        var exceptions = section.List("exceptions", Values.Identifier);
        var config = new FenceConfig(
            section.Value("scope", Values.OneOf(("clients", FenceScope.Clients), ("checks", FenceScope.Checks)), FenceScope.Clients),
            [.. exceptions.Select(item => item.Value).Distinct(StringComparer.Ordinal)],
            section.Value("stopPostmaster", Values.Bool, true),
            section.Value("requireGuard", Values.Bool, false),
            section.Value("watchdogDevice", Values.Optional(Values.AbsolutePath), null));
        section.Close();
        return config;
    }

    public static HttpConfig Http(Section section, GrpcConfig grpc)
    {
        var config = new HttpConfig(
            section.Value("bindAddress", OptionalIp, null) ?? grpc.BindAddress,
            section.Value("bindPort", Values.Port(min: 0), 0),
            section.Value("agentPort", Values.Port(min: 0), 0),
            section.Value("tls", Values.OneOf(("off", HttpTls.Off), ("on", HttpTls.On), ("require", HttpTls.Require)), HttpTls.Off));
        if (config.Tls != HttpTls.Off && !grpc.Tls.Enabled)
        {
            section.Error("tls", config.Tls == HttpTls.On ? "on" : "require", "without certificates", "gRPC.tls.enabled: true with its three files, which this port uses as well");
        }

        var sameAddress = config.BindAddress.Equals(grpc.BindAddress) || IsAny(config.BindAddress) || IsAny(grpc.BindAddress);
        if (config.BindPort == grpc.BindPort && sameAddress)
        {
            section.Error("bindPort", grpc.BindPort.ToString(System.Globalization.CultureInfo.InvariantCulture), "the gRPC listener's port", "another port");
        }

        if (config.AgentPort != 0 && (config.AgentPort == config.BindPort || (config.AgentPort == grpc.BindPort && sameAddress)))
        {
            section.Error("agentPort", config.AgentPort.ToString(System.Globalization.CultureInfo.InvariantCulture), "the port of another listener", "another port");
        }

        section.Close();
        return config;
    }

    public static ReadsConfig Reads(Section section)
    {
        (string, PrimaryReads)[] words = [("lastResort", PrimaryReads.LastResort), ("always", PrimaryReads.Always), ("never", PrimaryReads.Never)];
        var config = new ReadsConfig(
            section.Value("maxLagBytes", text => Units.Size(text, 0, 1L << 50), 16L << 20),
            section.Value("maxLagTime", Values.Duration(TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(7)), TimeSpan.FromSeconds(30)),
            section.Value("settle", Values.Duration(TimeSpan.Zero, TimeSpan.FromHours(1)), TimeSpan.FromSeconds(5)),
            section.Value("primary", Values.OneOf(words), PrimaryReads.LastResort));
        section.Close();
        return config;
    }

    public static FailoverConfig Failover(Section section)
    {
        (string, FailoverManager)[] managers = [("repmgr", FailoverManager.Repmgr), ("harepd", FailoverManager.Harepd), ("none", FailoverManager.None)];
        var usual = new FailoverConfig();
        var config = new FailoverConfig
        {
            Manager = section.Value("manager", Values.OneOf(managers), usual.Manager),
            NoFailover = section.Value("noFailover", Values.Bool, usual.NoFailover),
            Priority = section.Value("priority", Values.Whole(0, 1000), usual.Priority),
            MaxLagBytes = section.Value("maxLagBytes", text => Units.Size(text, 0, 1L << 50), usual.MaxLagBytes),
            OnPossibleLoss = section.Value("onPossibleLoss", Values.OneOf(("promote", LossAnswer.Promote), ("readOnly", LossAnswer.ReadOnly)), usual.OnPossibleLoss),
            OnCrash = section.Value("onCrash", Values.OneOf(("failover", CrashAnswer.Failover), ("restart", CrashAnswer.Restart)), usual.OnCrash),
            StartCrashed = section.Value("startCrashed", Values.Bool, usual.StartCrashed),
            StopGrace = section.Value("stopGrace", Values.Duration(TimeSpan.Zero, TimeSpan.FromDays(1)), usual.StopGrace),
            Rejoin = section.Value("rejoin", Values.OneOf(("advise", RejoinAnswer.Advise), ("auto", RejoinAnswer.Auto)), usual.Rejoin),
            PromoteTimeout = section.Value("promoteTimeout", Values.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), usual.PromoteTimeout),
            MinInterval = section.Value("minInterval", Values.Duration(TimeSpan.Zero, TimeSpan.FromDays(1)), usual.MinInterval),
            MaxInterval = section.Value("maxInterval", Values.Duration(TimeSpan.Zero, TimeSpan.FromDays(7)), usual.MaxInterval),
            SynchronousOnly = section.Value("synchronousOnly", Values.Bool, usual.SynchronousOnly),
            Synchronous = section.Value("synchronous", Values.OneOf(("off", SynchronousMode.Off), ("managed", SynchronousMode.Managed)), usual.Synchronous),
            SynchronousCount = section.Value("synchronousCount", Values.Whole(1, 8), usual.SynchronousCount),
            SynchronousDegradeAfter = section.Value("synchronousDegradeAfter", Values.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)), usual.SynchronousDegradeAfter),
            SynchronousStrict = section.Value("synchronousStrict", Values.Bool, usual.SynchronousStrict),
        };
        if (config is { Synchronous: SynchronousMode.Managed, Manager: not FailoverManager.Harepd })
        {
            section.Error("synchronous", "managed", "only with failover.manager harepd", "write   manager: harepd   or   synchronous: off");
        }

        if (config.MaxInterval < config.MinInterval)
        {
            section.Error("maxInterval", Units.Text(config.MaxInterval), "shorter than minInterval", $"at least {Units.Text(config.MinInterval)}");
        }

        section.Close();
        return config;
    }

    public static HistoryConfig History(Section section)
    {
        var usual = new HistoryConfig();
        var config = new HistoryConfig(section.Value("table", Values.Bool, usual.Table), section.Value("rows", Values.Whole(100, 10_000_000), usual.Rows));
        section.Close();
        return config;
    }

    public static HooksConfig Hooks(Section section)
    {
        var path = Values.Optional(Values.AbsolutePath);
        var usual = new HooksConfig();
        var config = new HooksConfig
        {
            Timeout = section.Value("timeout", Values.Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)), usual.Timeout),
            RoleChange = section.Value("roleChange", path, null),
            Gate = section.Value("gate", path, null),
            BeforeFailover = section.Value("beforeFailover", path, null),
            AfterFailover = section.Value("afterFailover", path, null),
            BeforeSwitchover = section.Value("beforeSwitchover", path, null),
            AfterSwitchover = section.Value("afterSwitchover", path, null),
        };
        section.Close();
        return config;
    }

    private static Parsed<IPAddress?> OptionalIp(string text)
    {
        if (text.Length == 0)
        {
            return Parsed<IPAddress?>.Good(null);
        }

        var ip = AddressValues.Ip(allowAny: true)(text);
        return ip.Problem is null ? Parsed<IPAddress?>.Good(ip.Value) : Parsed<IPAddress?>.Bad(ip.Problem, ip.Mend!);
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
