using Harepd.Tests.Config;
using Harepd.Tests.Files;
using Harepd.Tests.Postgres;

namespace Harepd.Tests.Cli;

/// <summary>A real PostgreSQL and the configuration of a data node for it.</summary>
internal sealed class DataNode : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryConfig _config;

    public DataNode(string address, string more = "", bool start = true)
    {
        Server = start ? TestServer.Start(address) : TestServer.Create(address);
        RunDir = _folder.File("run");
        _config = new TemporaryConfig($$"""
            harepd:
              nodeName: node_1
              primaryIP: {{address}}
              hbaConfig: {{Server.HbaPath}}
              haproxy: { server: [127.20.0.9], users: { readWrite: harw, readOnly: haro } }
              repmgr: { user: repmgr, db: repmgr }
              gRPC: { bindAddress: {{address}} }
              postgres: { socketDir: {{Server.Folder}}, port: {{Server.Port}}, user: postgres, dataDirectory: {{Server.DataDirectory}} }
              stateDir: {{_folder.File("state")}}
              runDir: {{RunDir}}
              {{more}}
            """);
    }

    public TestServer Server { get; }

    public string RunDir { get; }

    public string ConfigFile => _config.File;

    public string Hba => File.ReadAllText(Server.HbaPath);

    public void Dispose()
    {
        Server.Dispose();
        _config.Dispose();
        _folder.Dispose();
    }
}
