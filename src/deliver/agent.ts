// agent.ts: the HTTP agent that connects to the collector, directly or through the proxy that the
// environment names, with its TLS options. The options are given for each connection, to the
// collector and to a proxy, because variables and options of Node can change its defaults.
import type { Agent as HttpAgent } from 'node:http';
import type { Agent, AgentOptions } from 'node:https';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import { httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import type { Config } from '../config/config.ts';
import type { ProxyServer } from '../config/proxy.ts';
import { MAX_PEM_BYTES } from '../config/tls-files.ts';
import { readRegular } from '../system/files.ts';
import type { Env } from '../system/host.ts';
import { authorities } from './authorities.ts';

/** What is known of the connection, which a failed request does not tell. */
export interface Connection {
  /** False while no connection came about, so that no run can have been stored. */
  reached: boolean;
  /** The proxy's answer to `CONNECT`. */
  tunnelStatus?: number;
}

type AgentFactory = ReturnType<typeof httpAgentFactoryFromOptions>;

/**
 * A factory that gives the same agent each time, and notes in `connection` how connecting goes.
 *
 * @throws where a PEM file cannot be used any more.
 */
export function agentFactory(
  config: Config & { url: string },
  env: Env,
  connection: Connection,
): AgentFactory {
  const options = { keepAlive: true, ...tlsOptions(config, env) };
  let agent: Promise<HttpAgent> | undefined;
  return (protocol) => {
    agent ??= config.proxy
      ? proxyAgent(protocol, config.proxy, options, connection)
      : directAgent(protocol, options, connection);
    return agent;
  };
}

/** Certificates are always checked, and TLS is 1.2 at least. */
function tlsOptions(config: Config & { url: string }, env: Env): AgentOptions {
  if (![config.url, config.proxy?.url].some((url) => url?.startsWith('https:'))) return {};
  const { certificate, clientCertificate, clientKey } = config;
  const secureContext = createSecureContext({
    ca: authorities(certificate, env).flatMap(({ certificates }) => certificates),
    ...(clientCertificate ? { cert: pem(clientCertificate) } : {}),
    ...(clientKey ? { key: pem(clientKey) } : {}),
    minVersion: 'TLSv1.2',
  });
  return { secureContext, rejectUnauthorized: true };
}

const pem = (path: string) => readRegular(path, { maxBytes: MAX_PEM_BYTES });

async function directAgent(
  protocol: string,
  options: AgentOptions,
  connection: Connection,
): Promise<HttpAgent> {
  const agent = await httpAgentFactoryFromOptions(options)(protocol);
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...to: Parameters<Agent['createConnection']>) =>
    connect(...to)?.once('connect', () => {
      connection.reached = true;
    });
  return agent;
}

async function proxyAgent(
  protocol: string,
  proxy: ProxyServer,
  options: AgentOptions,
  connection: Connection,
): Promise<HttpAgent> {
  connection.reached = true; // the proxy does not tell whether it reached the collector
  // The packages print the proxy's URL with its password where DEBUG is set when they are loaded.
  delete process.env.DEBUG;
  if (protocol !== 'https:') {
    const { HttpProxyAgent } = await import('http-proxy-agent');
    return new HttpProxyAgent(proxy.url, options);
  }
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  const agent = new HttpsProxyAgent(proxy.url, options);
  // The package uses the options on the way to the proxy only; TLS inside the tunnel needs them
  // too.
  const connect = agent.connect.bind(agent);
  agent.connect = (request, to) =>
    connect(
      request,
      Object.assign({}, options, to, {
        // By default the certificate of an endpoint without a name would be compared with
        // `localhost`.
        checkServerIdentity: (_: string, certificate: PeerCertificate) =>
          checkServerIdentity(to.host ?? '', certificate),
      }),
    );
  agent.on('proxyConnect', ({ statusCode }: { statusCode: number }) => {
    connection.tunnelStatus = statusCode;
  });
  return agent;
}
