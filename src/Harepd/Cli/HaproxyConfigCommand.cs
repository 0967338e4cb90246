using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using Harepd.Config;
using Harepd.Haproxy;

namespace Harepd.Cli;

/// <summary><c>harepd haproxy-config -f FILE</c>: prints a HAProxy configuration that fits the cluster. Changes nothing.</summary>
internal static class HaproxyConfigCommand
{
    public static Command Build(Option<string?> file, Manual manual)
    {
        var servers = new Option<HaproxyServer[]>("--server")
        {
            Description = "A PostgreSQL server, once for each; default: this node, and the neighbours with guessed names",
            HelpName = "NAME=HOST:PORT",
            CustomParser = ParseServers,
            AllowMultipleArgumentsPerToken = false,
        };
        var check = new Option<HaproxyCheck?>("--check") { Description = "pgsql (pg_hba.conf answers) or http (harepd answers); default: http where http.bindPort is set" };
        var write = new Option<string>("--write-bind") { Description = "Where writing clients connect", HelpName = "ADDRESS:PORT", DefaultValueFactory = _ => "*:5000" };
        var read = new Option<string>("--read-bind") { Description = "Where reading clients connect", HelpName = "ADDRESS:PORT", DefaultValueFactory = _ => "*:5001" };
        var command = new Command("haproxy-config", "Print a HAProxy configuration that fits this cluster.") { servers, check, write, read };
        manual.Add(command, """
            A write and, with haproxy.readBackend, a read listener, the runtime sockets of haproxy.endpoints, and a comment for each choice.
            Nothing is changed; "haproxy -c -f" tells whether HAProxy takes it.

            Example:
              harepd haproxy-config -f /etc/harepd.yml --server node_1=10.0.0.1:5432 --server node_2=10.0.0.2:5432 > /etc/haproxy/haproxy.cfg
            """);
        command.SetAction(parsed =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is not { } valid)
            {
                return exitCode;
            }

            var plan = Plan(valid.Config, parsed.GetValue(servers) ?? [], parsed.GetValue(check)) with
            {
                WriteBind = parsed.GetValue(write)!,
                ReadBind = parsed.GetValue(read)!,
            };
            if (plan is { Check: HaproxyCheck.Http, HttpPort: 0 })
            {
                parsed.InvocationConfiguration.Error.WriteLine("--check http needs http.bindPort in the configuration.");
                return ExitCodes.Usage;
            }

            parsed.InvocationConfiguration.Output.Write(HaproxyConfigText.Write(plan));
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>What the configuration tells, and what the operator chose. Pure.</summary>
    internal static HaproxyPlan Plan(HarepdConfig config, IReadOnlyList<HaproxyServer> servers, HaproxyCheck? check) => new()
    {
        Cluster = config.Cluster,
        WriteBackend = config.Haproxy.WriteBackend,
        ReadBackend = config.Haproxy.ReadBackend,
        Servers = servers.Count > 0 ? [.. servers] : Guess(config),
        WriteUser = config.Haproxy.Users.ReadWrite,
        ReadUser = config.Haproxy.Users.ReadOnly,
        Endpoints = config.Haproxy.Endpoints,
        Check = check ?? (config.Http.IsEnabled ? HaproxyCheck.Http : HaproxyCheck.Pgsql),
        HttpPort = config.Http.BindPort,
        IsHttps = config.Http.Tls != HttpTls.Off,
    };

    private static ImmutableArray<HaproxyServer> Guess(HarepdConfig config)
    {
        var port = config.Postgres?.Port ?? 5432;
        var own = config.PrimaryIp is { } ip ? ip.ToString() : config.Grpc.Advertise.Host;
        return
        [
            new HaproxyServer(config.Haproxy.ServerName, own, port),
            .. config.Grpc.Neighbours.Select(n => new HaproxyServer($"node-{n.Host.Replace(':', '.')}", n.Host, port, IsNameGuessed: true)),
        ];
    }

    private static HaproxyServer[]? ParseServers(ArgumentResult result)
    {
        var servers = new List<HaproxyServer>();
        foreach (var token in result.Tokens)
        {
            if (ParseServer(token.Value) is { } server)
            {
                servers.Add(server);
            }
            else
            {
                result.AddError($"'{token.Value}' is not NAME=HOST:PORT.");
                return null;
            }
        }

        return [.. servers];
    }

    private static HaproxyServer? ParseServer(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || !HaproxyTarget.IsName(text[..equals]) || text[..equals] == HaproxyTarget.HoldServer)
        {
            return null;
        }

        return RuntimeAddress.TryParse($"tcp:{text[(equals + 1)..]}", out var address, out _) && address is RuntimeAddress.Tcp(var host, var port)
            ? new HaproxyServer(text[..equals], host, port)
            : null;
    }
}
