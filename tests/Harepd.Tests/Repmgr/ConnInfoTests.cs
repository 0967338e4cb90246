using Harepd.Repmgr;
using Xunit;

namespace Harepd.Tests.Repmgr;

public sealed class ConnInfoTests
{
    [Theory]
    [InlineData("host=10.0.0.1 user=repmgr dbname=repmgr connect_timeout=2", "10.0.0.1")]
    [InlineData("host = '10.0.0.1' port= 5432", "10.0.0.1")]
    [InlineData(@"host=10.0.0\.1", "10.0.0.1")]
    [InlineData(@"application_name='it\'s host=10.9.9.9 \\' host=db1", "db1")]
    [InlineData("password='host=10.9.9.9' host=10.0.0.1", "10.0.0.1")]
    [InlineData("application_name=10.9.9.9 user=repmgr", "")]
    [InlineData("host=db1 hostaddr=10.0.0.1", "10.0.0.1")]
    [InlineData("host=db1,db2 hostaddr=10.0.0.1,", "10.0.0.1|db2")]
    [InlineData("hostaddr=10.0.0.1,10.0.0.2", "10.0.0.1|10.0.0.2")]
    [InlineData("host=db1,10.0.0.2 port=5432,5433", "db1|10.0.0.2")]
    [InlineData("host=10.0.0.1 host=10.0.0.2", "10.0.0.2")]
    [InlineData("host=/var/run/postgresql", "/var/run/postgresql")]
    [InlineData("", "")]
    [InlineData("\tdbname=''\nhost=db1", "db1")]
    [InlineData("postgresql://10.0.0.1/repmgr", "10.0.0.1")]
    [InlineData("postgres://repmgr:10.9.9.9@db1:5432,10.0.0.2:5433/repmgr?application_name=10.8.8.8", "db1|10.0.0.2")]
    [InlineData("postgresql://repmgr@[2001:db8::1]:5432/repmgr", "2001:db8::1")]
    [InlineData("postgresql:///repmgr?host=db1&port=5433", "db1")]
    [InlineData("postgresql://db1?hostaddr=10.0.0.1", "10.0.0.1")]
    [InlineData("postgresql://%2Fvar%2Frun/repmgr", "/var/run")]
    [InlineData("postgresql://", "")]
    public void The_hosts_are_those_that_libpq_would_reach(string conninfo, string hosts)
    {
        Assert.Equal(hosts, string.Join('|', ConnInfo.HostsOf(conninfo)!));
    }

    [Theory]
    [InlineData("host='10.0.0.1")]
    [InlineData("host")]
    [InlineData("10.0.0.1 host=10.0.0.2")]
    [InlineData("=10.0.0.1")]
    [InlineData("host=a,b hostaddr=10.0.0.1")]
    [InlineData("postgresql://[2001:db8::1/repmgr")]
    [InlineData("postgresql://db%zz1/repmgr")]
    [InlineData("postgresql://db1/repmgr?host")]
    [InlineData("postgresql://db1/repmgr?host=a=b")]
    public void A_string_that_libpq_rejects_has_no_hosts(string conninfo)
    {
        Assert.Null(ConnInfo.HostsOf(conninfo));
    }
}
