using System.Net;
using Harepd.Config;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Xunit;

namespace Harepd.Tests.Config;

public sealed class ConfigReaderTests
{
    [Fact]
    public void Minimal_file_gets_every_default()
    {
        var config = TemporaryConfig.Good(TemporaryConfig.Minimal);

        Assert.Equal("main", config.Cluster);
        Assert.False(config.AllowRo);
        Assert.Equal(TimeSpan.FromSeconds(15), config.WatchDog);
        Assert.Equal(new AuthModesConfig("md5", "reject"), config.AuthModes);
        Assert.Equal("10.0.0.1:10000", config.Grpc.Advertise.ToString());
        Assert.Equal(TimeSpan.FromSeconds(3), config.Lease.Duration);
        Assert.Equal("node_1", config.Haproxy.ServerName);
        Assert.Equal(16 * 1024 * 1024, config.Reads.MaxLagBytes);
        Assert.Equal("/var/run/postgresql", config.Postgres!.SocketDir);
        Assert.Null(config.Postgres.DataDirectory);
        Assert.False(config.Http.IsEnabled);
    }

    [Fact]
    public void Members_are_self_neighbours_and_witness_in_ordinal_order()
    {
        var config = TemporaryConfig.Good(TemporaryConfig.Minimal);

        Assert.True(config.Members.SequenceEqual([new MemberId("10.0.0.1:10000"), new MemberId("10.0.0.2:10000"), new MemberId("10.0.0.3:10000")]));
        Assert.Equal("10.0.0.1:10000", config.Self.ToString());
    }

    [Fact]
    public void The_go_daemons_sample_means_the_same_here()
    {
        const string sample = """
            harepd:
              nodeName: "node_1"
              primaryIP: "10.21.57.61"
              allowRO: false
              hbaConfig: "/etc/postgresql/12/main/pg_hba.conf"
              haproxy:
                server: ["10.21.57.65"]
                users: { readOnly: "haro", readWrite: "harw" }
              authModes: { allow: "md5", deny: "reject" }
              repmgr: { user: "repmgr", db: "repmgr" }
              gRPC:
                tls: { enabled: false, ca: "/etc/harepd/ca_cert.pem", cert: "/etc/harepd/server_cert.pem", key: "/etc/harepd/server_key.pem" }
                bindPort: 10000
                bindAddress: "10.21.51.61"
                serverHostOverride: ""
                neighbours: ["10.21.57.61:10000"]
                witness: "10.21.57.63:10000"
                connectionDeadline: 5
              watchDog: 15
              logs: { filePath: /var/log/harepd.log, maxAge: 86400, rotationTime: 604800 }
            """;
        var environment = TemporaryConfig.Everything with { FileExists = path => !path.StartsWith("/etc/harepd", StringComparison.Ordinal) };

        var config = TemporaryConfig.Good(sample, DaemonMode.Both, environment);

        Assert.Equal(IPAddress.Parse("10.21.57.61"), config.PrimaryIp);
        Assert.Equal("10.21.57.65/32", Assert.Single(config.Haproxy.Server).ToString());
        Assert.Equal(new HaproxyUsersConfig("haro", "harw"), config.Haproxy.Users);
        Assert.Equal(new RepmgrConfig("repmgr", "repmgr"), config.Repmgr);
        Assert.Equal(TimeSpan.FromSeconds(5), config.Grpc.ConnectionDeadline);
        Assert.Null(config.Grpc.ServerHostOverride);
        Assert.Equal("/etc/harepd/ca_cert.pem", config.Grpc.Tls.Ca);
        Assert.Equal(new LogsConfig("/var/log/harepd.log", TimeSpan.FromDays(1), TimeSpan.FromDays(7)), config.Logs);
    }

    [Fact]
    public void A_witness_needs_no_postgresql_keys()
    {
        const string witness = """
            harepd:
              gRPC: { bindAddress: "10.0.0.3", neighbours: ["10.0.0.1:10000", "10.0.0.2:10000"] }
            """;

        var config = TemporaryConfig.Good(witness, DaemonMode.ServerOnly);

        Assert.Null(config.Postgres);
        Assert.Equal("10.0.0.3:10000", config.NodeName);
        Assert.Equal(3, config.Members.Length);
    }

    [Fact]
    public void A_server_half_with_repmgr_keeps_its_postgresql()
    {
        Assert.NotNull(TemporaryConfig.Good(TemporaryConfig.Minimal, DaemonMode.ServerOnly).Postgres);
    }

    [Fact]
    public void A_server_half_does_not_look_for_the_hba_file()
    {
        var environment = TemporaryConfig.Everything with { FileExists = _ => false };

        TemporaryConfig.Good(TemporaryConfig.Minimal, DaemonMode.ServerOnly, environment);
    }

    [Fact]
    public void Where_the_file_is_silent_libpqs_environment_speaks()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PGHOST"] = "/tmp/pg",
            ["PGPORT"] = "6543",
            ["PGUSER"] = "harepd",
            ["PGDATABASE"] = "ops",
        };
        var environment = TemporaryConfig.Everything with { Variable = variables.GetValueOrDefault };

        var silent = TemporaryConfig.Good(TemporaryConfig.Minimal, environment: environment).Postgres!;
        var said = TemporaryConfig.Good(TemporaryConfig.Plus("postgres: { port: 5433, socketDir: /run/a }"), environment: environment).Postgres!;

        Assert.Equal(("/tmp/pg", 6543, "harepd", "ops"), (silent.SocketDir, silent.Port, silent.User, silent.Database));
        Assert.Equal(("/run/a", 5433, "harepd", "ops"), (said.SocketDir, said.Port, said.User, said.Database));
    }

    [Fact]
    public void A_libpq_service_wins_over_the_variables_and_its_password_never_shows()
    {
        string[] services = ["# comment", "[other]", "port=1", "[here]", "host=/run/here", "port = 7000", "password=s3cret", "[last]", "user=x"];
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PGSERVICE"] = "here",
            ["PGSERVICEFILE"] = "/etc/services.conf",
            ["PGPORT"] = "6543",
            ["PGUSER"] = "harepd",
            ["PGPASSFILE"] = "/etc/harepd/pgpass",
        };
        var environment = TemporaryConfig.Everything with
        {
            Variable = variables.GetValueOrDefault,
            ReadLines = path => path == "/etc/services.conf" ? services : null,
        };

        var config = TemporaryConfig.Good(TemporaryConfig.Minimal, environment: environment);

        var postgres = config.Postgres!;
        Assert.Equal(("/run/here", 7000, "harepd", "/etc/harepd/pgpass"), (postgres.SocketDir, postgres.Port, postgres.User, postgres.PassFile));
        Assert.Equal("s3cret", postgres.Password!.Value);
        Assert.DoesNotContain("s3cret", config.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_service_that_is_nowhere_is_an_error()
    {
        var environment = TemporaryConfig.Everything with { Variable = name => name == "PGSERVICE" ? "nowhere" : null };

        Assert.Contains("PGSERVICE", TemporaryConfig.OneError(TemporaryConfig.Minimal, environment: environment).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_environment_is_an_error_that_names_the_variable()
    {
        var environment = TemporaryConfig.Everything with { Variable = name => name == "PGHOST" ? "db.example" : null };

        var error = TemporaryConfig.OneError(TemporaryConfig.Minimal, environment: environment);

        Assert.Equal("harepd.postgres.socketDir", error.Key);
        Assert.Contains("PGHOST", error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_fast_profile_sets_its_durations_and_single_ones_may_differ()
    {
        var fast = TemporaryConfig.Good(TemporaryConfig.Plus("lease: { profile: fast }")).Lease;
        var mixed = TemporaryConfig.Good(TemporaryConfig.Plus("lease: { profile: fast, renewInterval: 100ms }")).Lease;

        Assert.Equal((1000, 200, 300), Milliseconds(fast));
        Assert.Equal((1000, 100, 300), Milliseconds(mixed));
    }

    [Fact]
    public void Ports_over_32767_are_ports()
    {
        var text = TemporaryConfig.With("bindAddress: \"10.0.0.1\"", "bindAddress: \"10.0.0.1\"\n    bindPort: 65535")
            .Replace("10.0.0.2:10000", "10.0.0.2:65535", StringComparison.Ordinal) + "\n  http: { bindPort: 40000 }\n  postgres: { port: 50000 }\n";

        var config = TemporaryConfig.Good(text);

        Assert.Equal((65535, 65535, 40000, 50000), (config.Grpc.BindPort, config.Grpc.Neighbours[0].Port, config.Http.BindPort, config.Postgres!.Port));
    }

    [Fact]
    public void Ipv6_peers_and_networks_are_read_and_written_alike()
    {
        var config = TemporaryConfig.Good(TemporaryConfig.With("[\"10.0.0.9\"]", "[\"fd00::9\", \"10.1.0.0/24\"]")
            .Replace("\"10.0.0.2:10000\"", "\"[fd00::2]:10000\"", StringComparison.Ordinal));

        Assert.Equal(["fd00::9/128", "10.1.0.0/24"], config.Haproxy.Server.Select(network => network.ToString()));
        Assert.Equal("[fd00::2]:10000", Assert.Single(config.Grpc.Neighbours).ToString());
        Assert.Equal("fd00::2", config.Grpc.Neighbours[0].Host);
    }

    [Fact]
    public void Runtime_endpoints_are_sockets_or_tcp()
    {
        string[] written = ["unix:/run/haproxy/admin.sock,master:unix:/run/haproxy-master.sock", "tcp:10.0.0.9:9999", "tcp:[fd00::1]:9999"];
        var text = TemporaryConfig.With("server: [\"10.0.0.9\"]", $"endpoints: [\"{string.Join("\", \"", written)}\"]");

        var endpoints = TemporaryConfig.Good(text).Haproxy.Endpoints;

        Assert.Equal(written, endpoints.Select(endpoint => endpoint.Name));
        Assert.Equal(new RuntimeAddress.Tcp("fd00::1", 9999), endpoints[2].Runtime);
    }

    [Fact]
    public void Two_members_without_a_witness_are_told_that_nobody_will_take_over()
    {
        var text = TemporaryConfig.With("    witness: \"10.0.0.3:10000\"", "");

        var result = Assert.IsType<ConfigResult.Valid>(TemporaryConfig.Read(text));

        Assert.Contains(result.Notes, note => note.Contains("no automatic failover", StringComparison.Ordinal));
    }

    private static (double Duration, double Renew, double Fence) Milliseconds(LeaseConfig lease) =>
        (lease.Duration.TotalMilliseconds, lease.RenewInterval.TotalMilliseconds, lease.FenceBudget.TotalMilliseconds);
}
