using System.Collections.Immutable;
using System.Net;
using Harepd.Config.Sections;
using Harepd.Config.Yaml;
using Harepd.Haproxy;

namespace Harepd.Config;

/// <summary>Reads and validates a node's configuration. Touches nothing but the file and the existence of the files it names.</summary>
internal static class ConfigReader
{
    /// <summary>The configuration, or all its errors at once, in the order of the file.</summary>
    /// <param name="path">The YAML file, UTF-8, at most 256 KiB.</param>
    /// <param name="mode">In server-only mode the keys about PostgreSQL and pg_hba.conf may be missing.</param>
    /// <param name="environment">Null is the host as it is.</param>
    public static ConfigResult Read(string path, DaemonMode mode, ConfigEnvironment? environment = null)
    {
        var errors = new ErrorList(path);
        var text = YamlText.Read(path, errors);
        var tree = text is null ? null : YamlTree.Parse(text, errors);
        if (tree is null)
        {
            return new ConfigResult.Invalid(errors.Sorted());
        }

        var root = Section.Root(tree, errors);
        if (tree is YamlNode.Map && !root.Has("harepd"))
        {
            root.Error("harepd", null, "missing", "start with the line   harepd:   and indent the keys below it by two spaces");
            root.Ignore("harepd");
        }

        var config = ReadNode(root.Child("harepd"), Path.GetFullPath(path), mode, environment ?? ConfigEnvironment.Host);
        root.Close();
        return errors.IsEmpty ? new ConfigResult.Valid(config, ConfigNotes.Of(config)) : new ConfigResult.Invalid(errors.Sorted());
    }

    private static HarepdConfig ReadNode(Section section, string file, DaemonMode mode, ConfigEnvironment environment)
    {
        var isDataNode = mode != DaemonMode.ServerOnly;
        var grpc = GrpcSection.Read(section.Child("gRPC"), environment);
        var nodeName = isDataNode
            ? section.Required("nodeName", Values.Identifier, "", "\"node_1\"   exactly as in repmgr")
            : section.Value("nodeName", Values.Identifier, grpc.Advertise.ToString());
        var hasPostgres = isDataNode || section.Has("postgres") || section.Has("repmgr");
        var haproxy = section.Child("haproxy");
        var config = new HarepdConfig
        {
            File = file,
            Cluster = section.Value("cluster", Values.Name, "main"),
            NodeName = nodeName,
            PrimaryIp = PrimaryIp(section, isDataNode),
            AllowRo = section.Value("allowRO", Values.Bool, false),
            HbaConfig = HbaConfig(section, isDataNode, environment),
            WatchDog = section.Value("watchDog", Values.Seconds(1, 86_400), TimeSpan.FromSeconds(15)),
            Logs = PolicySections.Logs(section.Child("logs")),
            AuthModes = HaproxySection.ReadAuthModes(section.Child("authModes")),
            Repmgr = PostgresSection.ReadRepmgr(section),
            Grpc = grpc,
            Membership = GrpcSection.ReadMembership(section.Child("membership")),
            Haproxy = HaproxySection.Read(haproxy, nodeName, isDataNode),
            Pgbouncer = PgbouncerSection.Read(section.Child("pgbouncer")),
            Postgres = hasPostgres ? PostgresSection.Read(section.Child("postgres"), environment) : null,
            Lease = LeaseSection.Read(section.Child("lease")),
            Fence = PolicySections.Fence(section.Child("fence")),
            Http = PolicySections.Http(section.Child("http"), grpc),
            Reads = PolicySections.Reads(section.Child("reads")),
            Failover = PolicySections.Failover(section.Child("failover")),
            History = PolicySections.History(section.Child("history")),
            Hooks = PolicySections.Hooks(section.Child("hooks")),
            StateDir = section.Value("stateDir", Values.AbsolutePath, "/var/lib/harepd"),
            RunDir = section.Value("runDir", Values.AbsolutePath, "/run/harepd"),
        };
        CheckSizes(section, config);
        if (isDataNode)
        {
            CheckDataNode(section, haproxy, config);
        }

        section.Ignore("postgres");
        section.Close();
        return config;
    }

    private static IPAddress? PrimaryIp(Section section, bool isDataNode) => isDataNode
        ? section.Required("primaryIP", AddressValues.Ip(allowAny: false), IPAddress.None, "\"10.0.0.5\"   this node's replication address")
        : section.Value<IPAddress?>("primaryIP", AddressValues.Ip(allowAny: false)!, null);

    // A server-only node never touches pg_hba.conf, so a path there may name a file that this host does not have.
    private static string? HbaConfig(Section section, bool isDataNode, ConfigEnvironment environment)
    {
        if (!isDataNode)
        {
            return section.Value("hbaConfig", Values.Optional(Values.AbsolutePath), null);
        }

        var path = section.Required("hbaConfig", Values.AbsolutePath, "", "\"/etc/postgresql/15/main/pg_hba.conf\"");
        if (path.Length > 0 && !environment.FileExists(path))
        {
            section.Error("hbaConfig", path, "there is no such file, or no right to see it", "the path that   SHOW hba_file   answers");
        }

        return path;
    }

    private static void CheckSizes(Section section, HarepdConfig config)
    {
        var most = Math.Max(config.Members.Length, config.PreviousMembers.Length);
        if (most > Core.Model.Membership.MaxMembers)
        {
            var problem = $"{most} members where at most {Core.Model.Membership.MaxMembers} are allowed";
            section.Error("gRPC", null, problem, "fewer members: more votes make an election slower, not safer");
        }
    }

    private static void CheckDataNode(Section section, Section haproxy, HarepdConfig config)
    {
        if (config.Failover.Manager == FailoverManager.Repmgr && config.Repmgr is null)
        {
            const string mend = "add   repmgr: { user: \"repmgr\", db: \"repmgr\" }, or   failover: { manager: none }";
            section.Error("repmgr", null, "missing, while failover.manager is repmgr", mend);
        }

        if (!haproxy.HasItems("server") && !haproxy.HasItems("endpoints") && !config.Http.IsEnabled && config.Pgbouncer.Endpoints.IsEmpty)
        {
            const string mend = "name haproxy.server (its checks), haproxy.endpoints (its runtime API), http.bindPort (health answers) or pgbouncer.endpoints";
            section.Error("haproxy", null, "nothing tells HAProxy where the primary is", mend);
        }

        if (!config.Haproxy.Endpoints.IsEmpty && new HaproxyTarget("a", null, config.Haproxy.ServerName).Fault() is not null)
        {
            const string mend = "add   serverName: \"node_1\"   as in the backends";
            haproxy.Error("serverName", config.Haproxy.ServerName, "the node's name is no server name in HAProxy", mend);
        }
    }
}
