/**
 * `node:http` as CommonJS has it. An `import` of it reads each name it exports, and one of them brings a whole web client:
 * 13 MiB and 40 ms in every thread and every command.
 */
export const { Agent, createServer, request, STATUS_CODES } = process.getBuiltinModule("node:http");
